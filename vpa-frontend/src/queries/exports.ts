import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/exports'
import { isUnderWay } from '@/queries/security'

const exportKeys = {
  all: ['exports'] as const,
  page: (query: api.ExportQuery) => [...exportKeys.all, query] as const,
}

/** While one is being made, its progress is asked for so often. */
const POLL = 1000

/** One page of the exports that whoever is signed in asked for; followed while one is being made. */
export function useExportPage(query: MaybeRefOrGetter<api.ExportQuery>) {
  return useQuery({
    queryKey: computed(() => exportKeys.page(toValue(query))),
    queryFn: ({ signal }) => api.listExports(toValue(query), signal),
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.items.some(isUnderWay) ? POLL : false),
  })
}

export function useExportActs() {
  const queries = useQueryClient()
  const onSettled = () => queries.invalidateQueries({ queryKey: exportKeys.all })
  return {
    request: useMutation({ mutationFn: api.requestExport, onSettled }),
    cancel: useMutation({ mutationFn: api.cancelJob, onSettled }),
  }
}

/** Gets a link to a file, when someone wants it. */
export const useDownload = () => useMutation({ mutationFn: api.offerDownload })
