import { call, type Schema } from './http'
import type { operations } from './schema'

export type AdminPayment = Schema<'Payment'>
export type PaymentStatus = AdminPayment['status']
export type PaymentMethod = AdminPayment['method']
export type PaymentQuery = NonNullable<operations['getPaymentList']['parameters']['query']>
export type Refund = Schema<'Refund'>
export type RefundCreate = Schema<'RefundCreate'>
export type PaymentDecision = Schema<'PaymentReviewCreate'>['decision']

export const searchPayments = (query: PaymentQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/payments', { query, signal })

export const readPayment = (paymentId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/payments/{payment_id}', { path: { payment_id: paymentId }, signal })

export const listRefunds = (paymentId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/payments/{payment_id}/refunds', { path: { payment_id: paymentId }, signal })

export const refundPayment = (paymentId: number, body: RefundCreate, idempotencyKey: string) =>
  call('post', '/api/v1/payments/{payment_id}/refunds', {
    path: { payment_id: paymentId },
    body,
    idempotencyKey,
  })

/** Takes what came for what was asked, or gives it back. */
export const decidePayment = (
  paymentId: number,
  decision: PaymentDecision,
  idempotencyKey: string,
) =>
  call('post', '/api/v1/payments/{payment_id}/review', {
    path: { payment_id: paymentId },
    body: { decision },
    idempotencyKey,
  })

/** One side of a movement of money. */
export type LedgerEntry = Schema<'LedgerEntry'>
export type LedgerAccount = LedgerEntry['account']
export type LedgerQuery = NonNullable<operations['getLedgerEntryList']['parameters']['query']>

export const searchLedger = (query: LedgerQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/ledger', { query, signal })

export const readBalances = (signal?: AbortSignal) =>
  call('get', '/api/v1/ledger/balances', { signal })
