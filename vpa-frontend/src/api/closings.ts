import { call, type Schema } from './http'

export type ClosingWish = Omit<Schema<'ClosingCreate'>, 'dry_run' | 'digest'>
/** A booking that stands where something is closed, and what becomes of it. */
export type AffectedBooking = Schema<'Affected'>
export type ClosingReport = Schema<'Closing'>

/** A lot full of bookings takes its time to be arranged anew. */
const SLOW_TIMEOUT = 60_000

/** What closing would do to bookings; nothing is changed. */
export const previewClosing = (lotId: number, wish: ClosingWish, idempotencyKey: string) =>
  call('post', '/api/v1/lots/{lot_id}/closings', {
    path: { lot_id: lotId },
    body: { ...wish, dry_run: true },
    idempotencyKey,
    timeout: SLOW_TIMEOUT,
  })

/** Closes, moves and refunds in one go, and only with the outcome of the digest. */
export const closeBays = (
  lotId: number,
  wish: ClosingWish,
  digest: string,
  idempotencyKey: string,
) =>
  call('post', '/api/v1/lots/{lot_id}/closings', {
    path: { lot_id: lotId },
    body: { ...wish, dry_run: false, digest },
    idempotencyKey,
    timeout: SLOW_TIMEOUT,
  })
