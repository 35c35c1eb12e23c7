import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import * as api from '@/api/waitlist'
import { lotKeys } from './lots'
import { reservationKeys } from './reservations'

export const waitlistKeys = { all: ['waitlist'] as const }

/** Where a driver waits; asked again while they look, since an offer lasts a quarter of an hour. */
export function useWaitlist() {
  return useQuery({
    queryKey: waitlistKeys.all,
    queryFn: ({ signal }) => api.listWaitlist(signal),
    select: (page) => page.items,
    refetchInterval: 20_000,
  })
}

export function useWaitlistMutations() {
  const queries = useQueryClient()
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: waitlistKeys.all })
    void queries.invalidateQueries({ queryKey: reservationKeys.all })
    void queries.invalidateQueries({ queryKey: lotKeys.all })
  }
  return {
    join: useMutation({
      mutationFn: ({ body, key }: { body: api.WaitlistCreate; key: string }) =>
        api.joinWaitlist(body, key),
      onSettled,
    }),
    leave: useMutation({ mutationFn: api.leaveWaitlist, onSettled }),
  }
}
