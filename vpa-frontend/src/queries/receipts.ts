import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { verifyReceipt } from '@/api/receipts'

export interface ReceiptMark {
  number: string
  word: string
}

/** Whether a receipt is genuine; nothing is asked without what stands on it. */
export function useReceiptCheck(mark: MaybeRefOrGetter<ReceiptMark | undefined>) {
  return useQuery({
    queryKey: computed(() => ['receipts', 'verify', toValue(mark)] as const),
    queryFn: ({ signal }) => {
      const { number, word } = toValue(mark) as ReceiptMark
      return verifyReceipt(number, word, signal)
    },
    enabled: () => toValue(mark) !== undefined,
  })
}
