import { call, download, type Schema } from './http'

export type StayEvent = Schema<'ReservationEvent'>
export type Extension = Schema<'Extension'>

const pathOf = (id: number) => ({ path: { reservation_id: id } })

/** What a cancellation now would bring back. */
export const previewCancellation = (id: number, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations/{reservation_id}/cancellation', { ...pathOf(id), signal })

/** Cancels only while so much comes back as its driver was told. */
export const cancelFor = (id: number, refundMinor: number, idempotencyKey: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/cancel', {
    ...pathOf(id),
    body: { expected_refund_minor: refundMinor },
    idempotencyKey,
  })

/** What a later end would cost, and in which bay. */
export const previewExtension = (id: number, endsAt: string, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations/{reservation_id}/extension', {
    ...pathOf(id),
    query: { ends_at: endsAt },
    signal,
  })

export interface ExtensionWish {
  ends_at: string
  /** The other bay, when the booking's own is taken. */
  spot_id?: number
}

export const extend = (id: number, body: ExtensionWish, idempotencyKey: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/extend', {
    ...pathOf(id),
    body,
    idempotencyKey,
  })

export interface NewTime {
  starts_at: string
  ends_at: string
}

/** What another time would cost. */
export const previewRescheduling = (id: number, query: NewTime, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations/{reservation_id}/rescheduling', {
    ...pathOf(id),
    query,
    signal,
  })

export const reschedule = (id: number, body: NewTime, idempotencyKey: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/reschedule', {
    ...pathOf(id),
    body,
    idempotencyKey,
  })

export const changeVehicleOf = (id: number, vehicleId: number) =>
  call('patch', '/api/v1/reservations/{reservation_id}', {
    ...pathOf(id),
    body: { vehicle_id: vehicleId },
  })

export const checkIn = (id: number) =>
  call('post', '/api/v1/reservations/{reservation_id}/check-in', pathOf(id))

export const checkOut = (id: number) =>
  call('post', '/api/v1/reservations/{reservation_id}/check-out', { ...pathOf(id), body: {} })

/** Somebody else stands in the bay. */
export const reportOccupied = (id: number) =>
  call('post', '/api/v1/reservations/{reservation_id}/report-occupied', pathOf(id))

export const listEvents = (id: number, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations/{reservation_id}/events', { ...pathOf(id), signal })

export const downloadTicket = (id: number) =>
  download('/api/v1/reservations/{reservation_id}/ticket.pdf', pathOf(id))

export const downloadCalendar = (id: number) =>
  download('/api/v1/reservations/{reservation_id}/calendar.ics', pathOf(id))
