import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/reviews'
import { lotKeys } from './lots'
import { reservationKeys } from './reservations'

export const reviewKeys = {
  all: ['reviews'] as const,
  ofLot: (lotId: number) => [...reviewKeys.all, 'lot', lotId] as const,
  ofStay: (reservationId: number) => [...reviewKeys.all, 'stay', reservationId] as const,
}

/** What drivers say of a lot, page by page. */
export function useReviews(lotId: MaybeRefOrGetter<number>) {
  return useInfiniteQuery({
    queryKey: computed(() => reviewKeys.ofLot(toValue(lotId))),
    queryFn: ({ pageParam, signal }) => api.listReviews(toValue(lotId), pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
}

/** The driver's own review of a stay; null while there is none. */
export function useReviewOf(reservationId: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => reviewKeys.ofStay(toValue(reservationId))),
    queryFn: ({ signal }) => api.findReviewOf(toValue(reservationId), signal),
    select: (page) => page.items[0] ?? null,
  })
}

export function useReviewMutations() {
  const queries = useQueryClient()
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: reviewKeys.all })
    void queries.invalidateQueries({ queryKey: reservationKeys.all })
    // Its rating stands wherever the lot does.
    void queries.invalidateQueries({ queryKey: lotKeys.all })
  }
  return {
    write: useMutation({
      mutationFn: ({
        lotId,
        body,
        key,
      }: {
        lotId: number
        body: api.ReviewWords & { reservation_id: number }
        key: string
      }) => api.writeReview(lotId, body, key),
      onSettled,
    }),
    change: useMutation({
      mutationFn: ({ id, body }: { id: number; body: api.ReviewWords }) =>
        api.changeReview(id, body),
      onSettled,
    }),
    remove: useMutation({ mutationFn: api.deleteReview, onSettled }),
  }
}
