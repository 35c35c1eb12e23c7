import type { Payment } from '@/api/payments'
import type { Reservation } from '@/api/reservations'

/** Something that happened to a booking. */
export type Activity = { at: string; id: string } & (
  | { what: 'booked' | 'free' }
  | { what: 'paid' | 'open' | 'review'; amount: number }
  | { what: 'failed'; reason: string | undefined }
)

/** What happened to a booking, the latest first. */
export function activityOf(
  booking: Pick<Reservation, 'created_at' | 'confirmed_at'>,
  payments: readonly Payment[],
): Activity[] {
  const told: Activity[] = [
    { at: booking.created_at, id: 'booked', what: 'booked' },
    ...payments.map(tellPayment),
  ]
  if (booking.confirmed_at && !told.some((each) => each.what === 'paid')) {
    told.push({ at: booking.confirmed_at, id: 'free', what: 'free' })
  }
  // What happened at one moment stays in the order in which it was done, turned round.
  return told.reverse().sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
}

function tellPayment(payment: Payment): Activity {
  const told = { at: payment.settled_at ?? payment.created_at, id: `payment-${payment.id}` }
  switch (payment.status) {
    case 'succeeded':
    case 'partially_refunded':
    case 'refunded':
      return { ...told, what: 'paid', amount: payment.amount_minor }
    case 'failed':
      return { ...told, what: 'failed', reason: payment.failure?.message }
    case 'review':
      return { ...told, what: 'review', amount: payment.amount_minor }
    case 'pending':
    case 'requires_action':
      return { ...told, what: 'open', amount: payment.amount_minor }
  }
}
