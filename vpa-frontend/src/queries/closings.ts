import { useMutation, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/closings'
import { lotKeys } from './lots'
import { reservationKeys } from './reservations'

/** Closing bays of a lot: what it would do, and doing it. */
export function useClosing(lotId: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  return {
    preview: useMutation({
      mutationFn: ({ wish, key }: { wish: api.ClosingWish; key: string }) =>
        api.previewClosing(toValue(lotId), wish, key),
    }),
    close: useMutation({
      mutationFn: ({ wish, digest, key }: { wish: api.ClosingWish; digest: string; key: string }) =>
        api.closeBays(toValue(lotId), wish, digest, key),
      onSuccess: () =>
        Promise.all([
          queries.invalidateQueries({ queryKey: lotKeys.all }),
          queries.invalidateQueries({ queryKey: reservationKeys.all }),
        ]),
    }),
  }
}
