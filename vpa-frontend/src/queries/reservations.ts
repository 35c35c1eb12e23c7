import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as payments from '@/api/payments'
import * as api from '@/api/reservations'
import { lotKeys } from './lots'

export const reservationKeys = {
  all: ['reservations'] as const,
  list: (query: api.ReservationQuery) => [...reservationKeys.all, 'list', query] as const,
  detail: (id: number) => [...reservationKeys.all, 'detail', id] as const,
  ticket: (id: number) => [...reservationKeys.all, 'ticket', id] as const,
  payments: (id: number) => [...reservationKeys.all, 'payments', id] as const,
}

export function useReservations(query: MaybeRefOrGetter<api.ReservationQuery>) {
  return useInfiniteQuery({
    queryKey: computed(() => reservationKeys.list(toValue(query))),
    queryFn: ({ pageParam, signal }) =>
      api.listReservations({ ...toValue(query), ...(pageParam && { cursor: pageParam }) }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  })
}

export function useReservation(id: MaybeRefOrGetter<number | undefined>) {
  return useQuery({
    queryKey: computed(() => reservationKeys.detail(toValue(id) ?? 0)),
    queryFn: ({ signal }) => api.getReservation(toValue(id) ?? 0, signal),
    enabled: () => toValue(id) !== undefined,
  })
}

export function useTicket(id: MaybeRefOrGetter<number>, enabled: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: computed(() => reservationKeys.ticket(toValue(id))),
    queryFn: ({ signal }) => api.getTicket(toValue(id), signal),
    enabled: () => toValue(enabled),
    staleTime: 5 * 60_000,
  })
}

export function usePaymentsOf(
  id: MaybeRefOrGetter<number>,
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  return useQuery({
    queryKey: computed(() => reservationKeys.payments(toValue(id))),
    queryFn: ({ signal }) => payments.listPaymentsOf(toValue(id), signal),
    select: (page) => page.items,
    enabled: () => toValue(enabled),
  })
}

/** Fetches a receipt as a file, when someone wants it. */
export function useReceipt() {
  return useMutation({ mutationFn: payments.downloadReceipt })
}

/** What changes a booking; whatever lists bookings or bays is asked again after it. */
export function useReservationMutations() {
  const queries = useQueryClient()
  // Nobody waits for the lists: who changed a booking has its answer already.
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: reservationKeys.all })
    void queries.invalidateQueries({ queryKey: lotKeys.all })
  }
  return {
    hold: useMutation({
      mutationFn: ({ body, key }: { body: api.ReservationCreate; key: string }) =>
        api.holdSpot(body, key),
      onSettled,
    }),
    cancel: useMutation({ mutationFn: api.cancelReservation, onSettled }),
    prolong: useMutation({ mutationFn: api.prolongHold, onSettled }),
    pay: useMutation({
      mutationFn: ({ id, body, key }: { id: number; body: payments.PaymentCreate; key: string }) =>
        payments.pay(id, body, key),
      onSettled,
    }),
    confirm: useMutation({
      mutationFn: ({ id, code, key }: { id: number; code: string; key: string }) =>
        payments.confirmPayment(id, code, key),
      onSettled,
    }),
  }
}
