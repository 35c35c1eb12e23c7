import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/operator-reports'

const KEY = ['operator-reports'] as const

/** One page of the installation's monthly reports. */
export function useOperatorReports(cursor: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => [...KEY, toValue(cursor)] as const),
    queryFn: ({ signal }) => api.listOperatorReports(toValue(cursor) || undefined, signal),
    placeholderData: keepPreviousData,
  })
}

/** Has a report mailed to whoever is signed in. */
export function useReportMail() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: api.mailReport,
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  })
}
