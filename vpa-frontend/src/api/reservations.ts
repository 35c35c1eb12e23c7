import { call, type Schema } from './http'
import type { operations } from './schema'

export type Reservation = Schema<'Reservation'>
export type Ticket = Schema<'Ticket'>
export type ReservationCreate = Schema<'ReservationCreate'>
export type ReservationQuery = NonNullable<operations['getReservationList']['parameters']['query']>

export const listReservations = (query: ReservationQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations', { query, signal })

export const getReservation = (id: number, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations/{reservation_id}', { path: { reservation_id: id }, signal })

/** Holds a bay; `idempotencyKey` makes a second try of the same wish the same hold. */
export const holdSpot = (body: ReservationCreate, idempotencyKey: string) =>
  call('post', '/api/v1/reservations', { body, idempotencyKey })

export const cancelReservation = (id: number) =>
  call('post', '/api/v1/reservations/{reservation_id}/cancel', { path: { reservation_id: id } })

/** Keeps a hold five minutes longer, once. */
export const prolongHold = (id: number) =>
  call('post', '/api/v1/reservations/{reservation_id}/prolong', { path: { reservation_id: id } })

/** What the QR code says: a signed payload that a gate reads without asking anybody. */
export const getTicket = (id: number, signal?: AbortSignal) =>
  call('get', '/api/v1/reservations/{reservation_id}/ticket', {
    path: { reservation_id: id },
    signal,
  })
