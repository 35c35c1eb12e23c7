import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { searchAuditLog, type AuditQuery } from '@/api/audit'

/** One page of the audit log. */
export function useAuditPage(filters: MaybeRefOrGetter<AuditQuery>) {
  return useQuery({
    queryKey: computed(() => ['audit-log', toValue(filters)] as const),
    queryFn: ({ signal }) => searchAuditLog(toValue(filters), signal),
    placeholderData: keepPreviousData,
    // What was just done is to be found here.
    staleTime: 0,
  })
}
