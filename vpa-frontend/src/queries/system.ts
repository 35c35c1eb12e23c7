import { useQuery } from '@tanstack/vue-query'
import { readInvariants } from '@/api/system'

/** What the last look over the promises found. */
export const useInvariants = () =>
  useQuery({
    queryKey: ['system', 'invariants'],
    queryFn: ({ signal }) => readInvariants(signal),
    staleTime: 0,
  })
