import type { AdminPayment } from '@/api/admin-payments'

const PAID = ['succeeded', 'partially_refunded'] as const

/** What of a payment can still go back. */
export function refundable({
  status,
  amount_minor,
  refunded_minor,
}: Pick<AdminPayment, 'status' | 'amount_minor' | 'refunded_minor'>): number {
  return PAID.some((each) => each === status) ? amount_minor - refunded_minor : 0
}
