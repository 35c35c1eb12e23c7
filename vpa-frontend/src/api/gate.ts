import { call, type Schema } from './http'
import type { Payment } from './payments'
import type { Reservation } from './reservations'

export type GateLot = Schema<'GateLot'>
export type GateScan = Schema<'Scan'>
export type CashUp = Schema<'CashUp'>
export type WalkIn = Schema<'WalkInCreate'>
export type Direction = 'in' | 'out'

/** A gate that opened. */
export interface Passage {
  result: 'entered' | 'left'
  reservation: Reservation
  message: string
}
export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

/** The most that a list gives at once; a lot's next two hours are seldom more. */
const MOST = 100

export const listGateLots = (q: string, signal?: AbortSignal) =>
  call('get', '/api/v1/gate/lots', { query: { limit: MOST, ...(q && { q }) }, signal })

/** One of them, where whoever asks works there. */
export const findGateLot = (id: number, signal?: AbortSignal) =>
  call('get', '/api/v1/gate/lots', { query: { lot_id: id }, signal })

export const scan = (lotId: number, credential: string, direction?: Direction) =>
  call('post', '/api/v1/gate/scan', {
    body: { lot_id: lotId, credential, ...(direction && { direction }) },
  }) as Promise<Passage>

export const listArrivals = (lotId: number, cursor: string, signal?: AbortSignal) =>
  call('get', '/api/v1/gate/arrivals', {
    query: { lot_id: lotId, limit: MOST, ...(cursor && { cursor }) },
    signal,
  }) as Promise<Page<Reservation>>

export const listPresent = (lotId: number, cursor: string, signal?: AbortSignal) =>
  call('get', '/api/v1/gate/present', {
    query: { lot_id: lotId, limit: MOST, ...(cursor && { cursor }) },
    signal,
  }) as Promise<Page<Reservation>>

export const listScans = (lotId: number, cursor: string, signal?: AbortSignal) =>
  call('get', '/api/v1/gate/scans', {
    query: { lot_id: lotId, limit: 30, ...(cursor && { cursor }) },
    signal,
  })

export const getCashUp = (lotId: number, day: string, signal?: AbortSignal) =>
  call('get', '/api/v1/gate/cash-up', {
    query: { lot_id: lotId, ...(day && { day }) },
    signal,
  })

/** Lets a car in that has no booking; the key makes a second try of the same the same car. */
export const admitWalkIn = (body: WalkIn, idempotencyKey: string) =>
  call('post', '/api/v1/gate/walk-ins', { body, idempotencyKey }) as Promise<Reservation>

export const takeCash = (reservationId: number, idempotencyKey: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/payments', {
    path: { reservation_id: reservationId },
    body: { method: 'cash' },
    idempotencyKey,
  }) as Promise<Payment>

/** Lets a car out that has not paid; what is due is its driver's debt. */
export const letOut = (reservationId: number, reason: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/check-out', {
    path: { reservation_id: reservationId },
    body: { let_out_reason: reason },
  }) as Promise<Reservation>

export const getTicketKeys = () => call('get', '/api/v1/tickets/keys')
