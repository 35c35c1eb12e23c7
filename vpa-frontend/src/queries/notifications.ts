import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/notifications'
import { isStreaming } from '@/lib/streaming'

export const notificationKeys = {
  all: ['notifications'] as const,
  latest: ['notifications', 'latest'] as const,
  list: (unread: boolean) => ['notifications', 'list', unread] as const,
  choices: ['notification-settings'] as const,
}

/** As many as the bell shows. */
const LATEST = 10
const POLL = 60_000
/** A stream that died in silence is not waited for without end. */
const STREAMED_POLL = 10 * 60_000

/** The latest ones, and how many of all are unread. */
export function useLatestNotifications() {
  return useQuery({
    queryKey: notificationKeys.latest,
    queryFn: ({ signal }) => api.listNotifications({ limit: LATEST }, signal),
    refetchInterval: computed(() => (isStreaming.value ? STREAMED_POLL : POLL)),
  })
}

export function useNotifications(unread: MaybeRefOrGetter<boolean>) {
  return useInfiniteQuery({
    queryKey: computed(() => notificationKeys.list(toValue(unread))),
    queryFn: ({ pageParam, signal }) =>
      api.listNotifications(
        {
          limit: 20,
          ...(toValue(unread) && { unread: true }),
          ...(pageParam && { cursor: pageParam }),
        },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
}

/** Takes down what was read. */
export function useMarkRead() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: api.markRead,
    onSettled: () => queries.invalidateQueries({ queryKey: notificationKeys.all }),
  })
}

/** By which way each kind comes. */
export function useNotificationChoices() {
  return useQuery({
    queryKey: notificationKeys.choices,
    queryFn: ({ signal }) => api.listChoices(signal),
    select: ({ items }) => items,
  })
}

export function useChoose() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: api.choose,
    onSuccess: (choices) => queries.setQueryData(notificationKeys.choices, choices),
  })
}
