import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/admin-bookings'
import { listReservations, type Reservation, type ReservationQuery } from '@/api/reservations'
import { lotKeys } from './lots'
import { paymentKeys } from './payments'
import { reservationKeys } from './reservations'

/** One page of everybody's bookings. */
export function useBookingPage(query: MaybeRefOrGetter<ReservationQuery>) {
  return useQuery({
    queryKey: computed(() => [...reservationKeys.all, 'page', toValue(query)] as const),
    queryFn: ({ signal }) => listReservations(toValue(query), signal),
    placeholderData: keepPreviousData,
  })
}

/** What staff does to a booking; its answer is the booking as it is now. */
export function useBookingActs(id: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  const options = {
    onSuccess: (changed: Reservation) =>
      queries.setQueryData(reservationKeys.detail(changed.id), changed),
    // Also after a refusal: what was shown is not so any more.
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: reservationKeys.all })
      void queries.invalidateQueries({ queryKey: paymentKeys.all })
      void queries.invalidateQueries({ queryKey: lotKeys.all })
    },
  }
  return {
    cancel: useMutation({
      mutationFn: (key: string) => api.cancelByOperator(toValue(id), key),
      ...options,
    }),
    checkIn: useMutation({ mutationFn: () => api.letIn(toValue(id)), ...options }),
    checkOut: useMutation({
      mutationFn: (reason?: string) => api.letOut(toValue(id), reason),
      ...options,
    }),
  }
}
