import { call, download, type Schema } from './http'

export type Payment = Schema<'Payment'>
export type PaymentCreate = Schema<'PaymentCreate'>

export const pay = (reservationId: number, body: PaymentCreate, idempotencyKey: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/payments', {
    path: { reservation_id: reservationId },
    body,
    idempotencyKey,
  })

export const getPayment = (id: number, signal?: AbortSignal) =>
  call('get', '/api/v1/payments/{payment_id}', { path: { payment_id: id }, signal })

/** Answers the bank's challenge. */
export const confirmPayment = (id: number, code: string, idempotencyKey: string) =>
  call('post', '/api/v1/payments/{payment_id}/confirm', {
    path: { payment_id: id },
    body: { code },
    idempotencyKey,
  })

export const listPaymentsOf = (reservationId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/payments', { query: { reservation_id: reservationId, limit: 100 }, signal })

export const downloadReceipt = (paymentId: number) =>
  download('/api/v1/payments/{payment_id}/receipt.pdf', { path: { payment_id: paymentId } })
