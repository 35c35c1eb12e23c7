import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/admin-reviews'
import { lotKeys } from './lots'
import { reviewKeys } from './reviews'

/** One page of all reviews. */
export function useReviewPage(query: MaybeRefOrGetter<api.ModerationQuery>) {
  return useQuery({
    queryKey: computed(() => [...reviewKeys.all, 'page', toValue(query)] as const),
    queryFn: ({ signal }) => api.searchReviews(toValue(query), signal),
    placeholderData: keepPreviousData,
  })
}

/** What an admin does to a review; the ratings of lots follow. */
export function useModeration() {
  const queries = useQueryClient()
  const onSuccess = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: reviewKeys.all }),
      queries.invalidateQueries({ queryKey: lotKeys.all }),
    ])
  return {
    moderate: useMutation({
      mutationFn: ({ id, ...body }: { id: number; hidden: boolean; reason?: string }) =>
        api.moderateReview(id, body),
      onSuccess,
    }),
    reply: useMutation({
      mutationFn: ({ id, text }: { id: number; text: string | null }) =>
        api.replyToReview(id, text),
      onSuccess,
    }),
  }
}
