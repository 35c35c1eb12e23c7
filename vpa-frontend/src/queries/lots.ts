import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/lots'

export const lotKeys = {
  all: ['lots'] as const,
  lists: () => [...lotKeys.all, 'list'] as const,
  list: (filters: api.LotQuery, count: number) => [...lotKeys.lists(), filters, count] as const,
  hours: (query: api.AvailabilityQuery) => [...lotKeys.all, 'hours', query] as const,
  detail: (id: number) => [...lotKeys.all, 'detail', id] as const,
  bays: (id: number, window: api.Window) => [...lotKeys.all, 'bays', id, window] as const,
}

interface Asking {
  /** Asks nothing before. */
  enabled?: MaybeRefOrGetter<boolean>
  /** Asks again after so long while the page is looked at, since others book too. */
  refetchInterval?: number
}

/** The first `count` lots that a search finds, and how many there are. */
export function useLotSearch(
  filters: MaybeRefOrGetter<api.LotQuery>,
  count: MaybeRefOrGetter<number>,
  { enabled = true, refetchInterval }: Asking = {},
) {
  return useQuery({
    queryKey: computed(() => lotKeys.list(toValue(filters), toValue(count))),
    queryFn: ({ signal }) => api.searchFirstLots(toValue(filters), toValue(count), signal),
    placeholderData: keepPreviousData,
    enabled: () => toValue(enabled),
    refetchInterval,
  })
}

/** Free bays by hour, under the control of the time. */
export function useFreeHours(
  query: MaybeRefOrGetter<api.AvailabilityQuery>,
  { enabled = true, refetchInterval }: Asking = {},
) {
  return useQuery({
    queryKey: computed(() => lotKeys.hours(toValue(query))),
    queryFn: ({ signal }) => api.getFreeHours(toValue(query), signal),
    placeholderData: keepPreviousData,
    enabled: () => toValue(enabled),
    refetchInterval,
  })
}

/** A lot as a list showed it just now, and from where it was looked for; undefined when none did. */
export function useFoundLot(id: number) {
  const queries = useQueryClient()
  return queries
    .getQueriesData<api.LotList>({ queryKey: lotKeys.lists() })
    .flatMap(([, data]) => data?.items.map((lot) => ({ lot, place: data.place })) ?? [])
    .find(({ lot }) => lot.id === id)
}

export function useLot(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => lotKeys.detail(toValue(id))),
    queryFn: ({ signal }) => api.getLot(toValue(id), signal),
  })
}

/** The bays of a lot in a window; asked again while the page is looked at, since others book too. */
export function useBays(id: MaybeRefOrGetter<number>, window: MaybeRefOrGetter<api.Window>) {
  return useQuery({
    queryKey: computed(() => lotKeys.bays(toValue(id), toValue(window))),
    queryFn: ({ signal }) => api.getSpots(toValue(id), toValue(window), signal),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    // A lot that is not there does not come by asking.
    refetchInterval: ({ state }) => (state.data ? 10_000 : false),
  })
}
