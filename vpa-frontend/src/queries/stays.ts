import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as refunds from '@/api/refunds'
import { getReservation, type Reservation } from '@/api/reservations'
import * as api from '@/api/stays'
import { isStreaming } from '@/lib/streaming'
import { lotKeys } from './lots'
import { reservationKeys } from './reservations'

export const stayKeys = {
  of: (id: number) => [...reservationKeys.all, 'stay', id] as const,
  events: (id: number) => [...stayKeys.of(id), 'events'] as const,
  cancellation: (id: number) => [...stayKeys.of(id), 'cancellation'] as const,
  extension: (id: number, endsAt: string) => [...stayKeys.of(id), 'extension', endsAt] as const,
  rescheduling: (id: number, time: api.NewTime | undefined) =>
    [...stayKeys.of(id), 'rescheduling', time] as const,
  refunds: (id: number, payments: readonly number[]) =>
    [...stayKeys.of(id), 'refunds', payments] as const,
}

const LIVE_MS = 15_000
/** While changes are told as they happen. */
const STREAMED_MS = 5 * 60_000

/** Looks at a booking again while something may happen to it elsewhere: at a gate, or by the clock. */
export function useLiveReservation(
  id: MaybeRefOrGetter<number>,
  isLive: MaybeRefOrGetter<boolean>,
) {
  return useQuery({
    queryKey: computed(() => reservationKeys.detail(toValue(id))),
    queryFn: ({ signal }) => getReservation(toValue(id), signal),
    refetchInterval: computed(() => {
      const interval = isStreaming.value ? STREAMED_MS : LIVE_MS
      return () => (toValue(isLive) ? interval : false)
    }),
  })
}

export function useEvents(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => stayKeys.events(toValue(id))),
    queryFn: ({ signal }) => api.listEvents(toValue(id), signal),
    select: (page) => page.items,
  })
}

/** What a cancellation would bring back now, asked anew each time. */
export function useCancellation(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => stayKeys.cancellation(toValue(id))),
    queryFn: ({ signal }) => api.previewCancellation(toValue(id), signal),
    staleTime: 0,
    gcTime: 0,
  })
}

/** What a stay until then would cost; nothing is asked without an end. */
export function useExtension(
  id: MaybeRefOrGetter<number>,
  endsAt: MaybeRefOrGetter<string | undefined>,
) {
  return useQuery({
    queryKey: computed(() => stayKeys.extension(toValue(id), toValue(endsAt) ?? '')),
    queryFn: ({ signal }) => api.previewExtension(toValue(id), toValue(endsAt) ?? '', signal),
    enabled: () => toValue(endsAt) !== undefined,
    staleTime: 10_000,
    refetchInterval: 60_000,
  })
}

/** What another time would cost; nothing is asked without one. */
export function useRescheduling(
  id: MaybeRefOrGetter<number>,
  time: MaybeRefOrGetter<api.NewTime | undefined>,
) {
  return useQuery({
    queryKey: computed(() => stayKeys.rescheduling(toValue(id), toValue(time))),
    queryFn: ({ signal }) =>
      api.previewRescheduling(toValue(id), toValue(time) as api.NewTime, signal),
    enabled: () => toValue(time) !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
}

/** All that went back of these payments. */
export function useRefundsOf(
  id: MaybeRefOrGetter<number>,
  payments: MaybeRefOrGetter<readonly number[]>,
) {
  return useQuery({
    queryKey: computed(() => stayKeys.refunds(toValue(id), toValue(payments))),
    queryFn: async ({ signal }) => {
      const pages = await Promise.all(
        toValue(payments).map((each) => refunds.listRefundsOf(each, signal)),
      )
      return pages.flatMap((page) => page.items)
    },
    enabled: () => toValue(payments).length > 0,
  })
}

/** Files of a booking, fetched when someone wants them. */
export function useStayFiles() {
  return {
    ticket: useMutation({ mutationFn: api.downloadTicket }),
    calendar: useMutation({ mutationFn: api.downloadCalendar }),
    creditNote: useMutation({ mutationFn: refunds.downloadCreditNote }),
  }
}

/** What changes a paid booking; its answer is the booking as it is now, and all that lists it is asked again. */
export function useStayMutations() {
  const queries = useQueryClient()
  const options = {
    onSuccess: (changed: Reservation) =>
      queries.setQueryData(reservationKeys.detail(changed.id), changed),
    // Also after a refusal: what was shown is not so any more.
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: reservationKeys.all })
      void queries.invalidateQueries({ queryKey: lotKeys.all })
    },
  }
  return {
    cancel: useMutation({
      mutationFn: ({ id, refund, key }: { id: number; refund: number; key: string }) =>
        api.cancelFor(id, refund, key),
      ...options,
    }),
    extend: useMutation({
      mutationFn: ({ id, wish, key }: { id: number; wish: api.ExtensionWish; key: string }) =>
        api.extend(id, wish, key),
      ...options,
    }),
    reschedule: useMutation({
      mutationFn: ({ id, time, key }: { id: number; time: api.NewTime; key: string }) =>
        api.reschedule(id, time, key),
      ...options,
    }),
    changeVehicle: useMutation({
      mutationFn: ({ id, vehicleId }: { id: number; vehicleId: number }) =>
        api.changeVehicleOf(id, vehicleId),
      ...options,
    }),
    checkIn: useMutation({ mutationFn: api.checkIn, ...options }),
    checkOut: useMutation({ mutationFn: api.checkOut, ...options }),
    report: useMutation({ mutationFn: api.reportOccupied, ...options }),
  }
}
