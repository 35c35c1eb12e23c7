import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/vue-query'
import * as api from '@/api/reports'

const KEY = ['reports'] as const

/** One that is being made is asked about so often. */
const POLL = 15_000

/** One's monthly reports, the newest first; followed while one is being made. */
export function useReports() {
  return useInfiniteQuery({
    queryKey: KEY,
    queryFn: ({ pageParam, signal }) => api.listReports(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isBeingMade)) ? POLL : false,
  })
}

export const isBeingMade = ({ status }: api.Report): boolean =>
  status === 'queued' || status === 'running'

export function useReportMutations() {
  const queries = useQueryClient()
  return {
    fetch: useMutation({
      mutationFn: ({ id, format }: { id: number; format: api.ReportFormat }) =>
        api.getReportFile(id, format),
    }),
    send: useMutation({
      mutationFn: api.sendReport,
      onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
    }),
  }
}
