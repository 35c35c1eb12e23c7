import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/admin-lots'
import { searchLots, type LotQuery } from '@/api/lots'
import { lotKeys } from './lots'

type Id = MaybeRefOrGetter<number>

/** Below the keys of lots, since a change of a lot changes what each list of lots says. */
export const adminLotKeys = {
  page: (filters: LotQuery) => [...lotKeys.all, 'page', filters] as const,
  edited: (id: number) => [...lotKeys.all, 'edited', id] as const,
  bays: (id: number) => [...lotKeys.all, 'all bays', id] as const,
  closures: (id: number) => [...lotKeys.all, 'closures', id] as const,
  tariffs: (id: number) => [...lotKeys.all, 'tariffs', id] as const,
}

/** One page of a list of lots. */
export function useLotPage(filters: MaybeRefOrGetter<LotQuery>) {
  return useQuery({
    queryKey: computed(() => adminLotKeys.page(toValue(filters))),
    queryFn: ({ signal }) => searchLots(toValue(filters), signal),
    placeholderData: keepPreviousData,
  })
}

/** A lot to edit, with the tag of its state. */
export function useEditedLot(id: Id, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: computed(() => adminLotKeys.edited(toValue(id))),
    queryFn: ({ signal }) => api.readLot(toValue(id), signal),
    // What is edited must be what is there.
    staleTime: 0,
    enabled: () => toValue(enabled),
  })
}

export function useAllBays(id: Id) {
  return useQuery({
    queryKey: computed(() => adminLotKeys.bays(toValue(id))),
    queryFn: ({ signal }) => api.listBays(toValue(id), signal),
    select: ({ items }) => items,
  })
}

/** Which bays are out of service now or later. */
export function useClosures(id: Id) {
  return useQuery({
    queryKey: computed(() => adminLotKeys.closures(toValue(id))),
    queryFn: ({ signal }) => api.listClosures(toValue(id), signal),
    select: ({ items }) => items,
  })
}

export function useTariffs(id: Id) {
  return useInfiniteQuery({
    queryKey: computed(() => adminLotKeys.tariffs(toValue(id))),
    queryFn: ({ pageParam, signal }) =>
      api.listTariffs(toValue(id), pageParam || undefined, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
}

/** What may be done to one lot, its bays and its prices. */
export function useLotMutations(id: Id) {
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: lotKeys.all })
  return {
    change: useMutation({
      mutationFn: ({ body, tag }: { body: api.LotUpdate; tag?: string }) =>
        api.changeLot(toValue(id), body, tag),
      onSuccess(changed) {
        queries.setQueryData(adminLotKeys.edited(toValue(id)), changed)
        return onSuccess()
      },
    }),
    archive: useMutation({ mutationFn: () => api.archiveLot(toValue(id)), onSuccess }),
    addBays: useMutation({
      mutationFn: ({ body, key }: { body: api.SpotCreate; key: string }) =>
        api.addBays(toValue(id), body, key),
      onSuccess,
    }),
    changeBay: useMutation({
      mutationFn: ({ spotId, body }: { spotId: number; body: api.SpotUpdate }) =>
        api.changeBay(spotId, body),
      onSuccess,
    }),
    draftTariff: useMutation({
      mutationFn: ({ body, key }: { body: api.TariffCreate; key: string }) =>
        api.draftTariff(toValue(id), body, key),
      onSuccess,
    }),
    publishTariff: useMutation({ mutationFn: api.publishTariff, onSuccess }),
  }
}

/** What stays of the last month would have cost by a draft, or by terms that are not saved yet. */
export const useTariffPreview = () =>
  useMutation({
    mutationFn: (body: Parameters<typeof api.previewTariff>[0]) => api.previewTariff(body),
  })

export function useCreateLot() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ body, key }: { body: api.LotCreate; key: string }) => api.createLot(body, key),
    onSuccess: () => queries.invalidateQueries({ queryKey: lotKeys.all }),
  })
}

export function useImportLots() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ file, isDryRun }: { file: File; isDryRun: boolean }) =>
      api.importLots(file, isDryRun),
    onSuccess: (_report, { isDryRun }) =>
      isDryRun ? undefined : queries.invalidateQueries({ queryKey: lotKeys.all }),
  })
}

export const useImportTemplate = () => useMutation({ mutationFn: api.getImportTemplate })
