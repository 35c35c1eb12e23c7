import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import * as api from '@/api/links'
import { lotKeys } from './lots'
import { reservationKeys } from './reservations'

const key = (token: string) => ['links', token] as const

/** What a link would do; nothing is asked without one. */
export function useLink(token: string) {
  return useQuery({
    queryKey: key(token),
    queryFn: ({ signal }) => api.lookAtLink(token, signal),
    enabled: token !== '',
  })
}

/** Does what a link says, when that still gives back as much as was told. */
export function useLinkAct(token: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (look: api.Look) => api.actOnLink(token, look.cancellation?.refund_minor),
    onSuccess: (done) => queries.setQueryData(key(token), done),
    onSettled: () => {
      // Who is signed in sees it at once where they see their bookings.
      void queries.invalidateQueries({ queryKey: reservationKeys.all })
      void queries.invalidateQueries({ queryKey: lotKeys.all })
    },
  })
}
