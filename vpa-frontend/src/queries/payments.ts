import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/payments'
import { lotKeys } from './lots'
import { reservationKeys } from './reservations'

export const paymentKeys = {
  all: ['payments'] as const,
  detail: (id: number) => [...paymentKeys.all, 'detail', id] as const,
}

/** Soon at first, then ever more slowly: an answer of the bank comes at once or after a minute. */
const pauseAfter = (looks: number) => (looks < 10 ? 3_000 : looks < 20 ? 6_000 : 15_000)

/** A payment that the bank has not decided yet, looked at until it has. */
export function useUndecidedPayment(id: MaybeRefOrGetter<number | undefined>) {
  return useQuery({
    queryKey: computed(() => paymentKeys.detail(toValue(id) ?? 0)),
    queryFn: ({ signal }) => api.getPayment(toValue(id) ?? 0, signal),
    enabled: () => toValue(id) !== undefined,
    staleTime: 0,
    gcTime: 0,
    refetchInterval: ({ state }) =>
      state.data && state.data.status !== 'pending'
        ? false
        : pauseAfter(state.dataUpdateCount + state.errorUpdateCount),
  })
}

/** Payments asked for when something has to be decided by them. */
export function usePaymentLookup() {
  const queries = useQueryClient()
  const listOf = (reservationId: number) =>
    queries.fetchQuery({
      queryKey: reservationKeys.payments(reservationId),
      queryFn: ({ signal }) => api.listPaymentsOf(reservationId, signal),
      staleTime: 0,
    })
  return {
    /** The one payment of a booking that still waits for the bank or for its driver. */
    async findUndecided(reservationId: number): Promise<api.Payment | undefined> {
      const page = await listOf(reservationId)
      return page.items.find(({ status }) => status === 'pending' || status === 'requires_action')
    },
    /** The last payment of a booking, whatever became of it; there may be none. */
    async findLatest(reservationId: number): Promise<{ payment?: api.Payment }> {
      const { items } = await listOf(reservationId)
      return { payment: [...items].sort((a, b) => b.id - a.id)[0] }
    },
    /** What a payment decides shows in bookings and bays. */
    refreshBookings(): void {
      void queries.invalidateQueries({ queryKey: reservationKeys.all })
      void queries.invalidateQueries({ queryKey: lotKeys.all })
    },
    look: (id: number): Promise<api.Payment> =>
      queries.fetchQuery({
        queryKey: paymentKeys.detail(id),
        queryFn: ({ signal }) => api.getPayment(id, signal),
        staleTime: 0,
      }),
  }
}
