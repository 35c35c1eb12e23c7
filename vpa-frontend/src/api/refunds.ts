import { call, download, type Schema } from './http'

export type Refund = Schema<'Refund'>

/** What went back of a payment. */
export const listRefundsOf = (paymentId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/payments/{payment_id}/refunds', {
    path: { payment_id: paymentId },
    signal,
  })

export const downloadCreditNote = (refundId: number) =>
  download('/api/v1/refunds/{refund_id}/credit-note.pdf', { path: { refund_id: refundId } })
