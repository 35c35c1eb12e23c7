import { useTranslation } from 'i18next-vue'

const REASONS = [
  ...(['not-readable', 'unknown', 'wrong-lot', 'too-early', 'not-paid', 'over'] as const),
  ...(['bay-not-free', 'already-in', 'not-in', 'payment-due', 'illegal-transition'] as const),
]

/** Reasons are the API's; for one that came after this page was built, it says that the gate stays shut. */
export function useReasons() {
  const { t } = useTranslation()
  return {
    sayReason(reason: string): string {
      const known = REASONS.find((each) => each === reason)
      return known ? t(`gate:reason.${known}`) : t('gate:result.refused')
    },
  }
}
