import { useTranslation } from 'i18next-vue'
import { toValue, watchEffect, type MaybeRefOrGetter } from 'vue'

/** Names the page in the browser's tab and for screen readers. */
export function usePageTitle(title: MaybeRefOrGetter<string>): void {
  const { t } = useTranslation()
  watchEffect(() => {
    document.title = `${toValue(title)} · ${t('brand')}`
  })
}
