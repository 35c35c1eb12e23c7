import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/work'

const KEY = ['system', 'work'] as const

/** What is under way changes by itself, and is asked for so often. */
const POLL = 5000

/** One page of work in the background, and how much failed of each kind. */
export function useWorkPage(query: MaybeRefOrGetter<api.WorkQuery>) {
  return useQuery({
    queryKey: computed(() => [...KEY, toValue(query)] as const),
    queryFn: ({ signal }) => api.searchWork(toValue(query), signal),
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: POLL,
  })
}

/** Lets work that failed be done once more. */
export function useRetry() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: api.retryWork,
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  })
}
