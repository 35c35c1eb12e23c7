import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/gate'

export const gateKeys = {
  all: ['gate'] as const,
  lots: (q: string) => [...gateKeys.all, 'lots', q] as const,
  lot: (id: number) => [...gateKeys.all, 'lot', id] as const,
  /** All that a scan or a payment at a lot changes. */
  at: (lotId: number) => [...gateKeys.all, 'at', lotId] as const,
  arrivals: (lotId: number) => [...gateKeys.at(lotId), 'arrivals'] as const,
  present: (lotId: number) => [...gateKeys.at(lotId), 'present'] as const,
  scans: (lotId: number) => [...gateKeys.at(lotId), 'scans'] as const,
  cash: (lotId: number, day: string) => [...gateKeys.at(lotId), 'cash', day] as const,
  keys: ['gate', 'ticket-keys'] as const,
}

/** Others work at the same gate: what is shown is asked for again. */
const LIVE_MS = 20_000

export function useGateLots(q: MaybeRefOrGetter<string> = '') {
  return useQuery({
    queryKey: computed(() => gateKeys.lots(toValue(q))),
    queryFn: ({ signal }) => api.listGateLots(toValue(q), signal),
    select: (page) => page.items,
    placeholderData: keepPreviousData,
  })
}

/** One lot of these; null where whoever is signed in does not work there. */
export function useGateLot(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => gateKeys.lot(toValue(id))),
    queryFn: ({ signal }) => api.findGateLot(toValue(id), signal),
    select: ({ items }) => items[0] ?? null,
  })
}

type List<Item> = (lotId: number, cursor: string, signal: AbortSignal) => Promise<api.Page<Item>>

function useGateList<Item>(
  lotId: MaybeRefOrGetter<number>,
  keyOf: (lotId: number) => readonly unknown[],
  list: List<Item>,
) {
  return useInfiniteQuery({
    queryKey: computed(() => keyOf(toValue(lotId))),
    queryFn: ({ pageParam, signal }) => list(toValue(lotId), pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.items),
    refetchInterval: LIVE_MS,
  })
}

export const useArrivals = (lotId: MaybeRefOrGetter<number>) =>
  useGateList(lotId, gateKeys.arrivals, api.listArrivals)

export const usePresent = (lotId: MaybeRefOrGetter<number>) =>
  useGateList(lotId, gateKeys.present, api.listPresent)

export const useScans = (lotId: MaybeRefOrGetter<number>) =>
  useGateList<api.GateScan>(lotId, gateKeys.scans, api.listScans)

/** The cash of a day; without one, of today. */
export function useCashUp(lotId: MaybeRefOrGetter<number>, day: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => gateKeys.cash(toValue(lotId), toValue(day))),
    queryFn: ({ signal }) => api.getCashUp(toValue(lotId), toValue(day), signal),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  })
}

/** The keys by which tickets are checked where the server cannot be asked; fetched while it can. */
export function useTicketKeys() {
  return useQuery({
    queryKey: gateKeys.keys,
    queryFn: api.getTicketKeys,
    select: ({ keys }) => keys,
    staleTime: 60 * 60_000,
  })
}

/** What is done at a gate; its lists are asked for again after it, also after a refusal, which is kept. */
export function useGateActs(lotId: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: gateKeys.at(toValue(lotId)) })
  }
  return {
    scan: useMutation({
      mutationFn: ({ credential, direction }: { credential: string; direction?: api.Direction }) =>
        api.scan(toValue(lotId), credential, direction),
      onSettled,
    }),
    admit: useMutation({
      mutationFn: ({ body, key }: { body: api.WalkIn; key: string }) => api.admitWalkIn(body, key),
      onSettled,
    }),
    takeCash: useMutation({
      mutationFn: ({ id, key }: { id: number; key: string }) => api.takeCash(id, key),
      onSettled,
    }),
    letOut: useMutation({
      mutationFn: ({ id, reason }: { id: number; reason: string }) => api.letOut(id, reason),
      onSettled,
    }),
  }
}
