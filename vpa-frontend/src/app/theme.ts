import type { Pinia } from 'pinia'
import { computed, watchEffect } from 'vue'
import { useMedia } from '@/composables/useMedia'
import { usePrefs } from '@/stores/prefs'

/** Keeps the page in the theme that was chosen, or in that of the system. */
export function followTheme(pinia: Pinia): void {
  const isDark = useIsDark(pinia)
  watchEffect(() => {
    document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light'
  })
}

export function useIsDark(pinia?: Pinia) {
  const prefs = usePrefs(pinia)
  const prefersDark = useMedia('(prefers-color-scheme: dark)')
  return computed(() => (prefs.theme === 'system' ? prefersDark.value : prefs.theme === 'dark'))
}
