import type { Payment } from '@/api/payments'
import type { Reservation } from '@/api/reservations'
import type { StayEvent } from '@/api/stays'

/** Something that happened to a booking. */
export type Activity = { at: string; id: string; by?: StayEvent['by'] } & (
  | { what: 'free' }
  | { what: StayEvent['kind']; facts: StayEvent['facts'] }
  | { what: 'open' | 'review'; amount: number }
  | { what: 'failed'; reason: string | undefined }
)

/**
 * What happened to a booking, the latest first: what was taken down of it, and the payments that came to
 * nothing, which change nothing about it.
 */
export function activityOf(
  booking: Pick<Reservation, 'confirmed_at'>,
  events: readonly StayEvent[],
  payments: readonly Payment[],
): Activity[] {
  const told: Activity[] = [
    ...events.map(tellEvent),
    // Of bookings from before payments were taken down, the payments themselves tell.
    ...payments.flatMap((payment) =>
      tellPayment(
        payment,
        events.some(({ kind }) => kind === 'paid'),
      ),
    ),
  ]
  if (booking.confirmed_at && !told.some(({ what }) => what === 'paid')) {
    told.push({ at: booking.confirmed_at, id: 'free', what: 'free' })
  }
  // What happened at one moment stays in the order in which it was done, turned round.
  return told.reverse().sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
}

function tellEvent({ id, at, kind, facts, by }: StayEvent): Activity {
  return { at, id: `event-${id ?? 'booked'}`, what: kind, facts, by }
}

function tellPayment(payment: Payment, isNoted: boolean): Activity[] {
  const told = { at: payment.settled_at ?? payment.created_at, id: `payment-${payment.id}` }
  switch (payment.status) {
    case 'succeeded':
    case 'partially_refunded':
    case 'refunded':
      return isNoted
        ? []
        : [{ ...told, what: 'paid', facts: { amount_minor: payment.amount_minor } }]
    case 'failed':
      return [{ ...told, what: 'failed', reason: payment.failure?.message }]
    case 'review':
      return [{ ...told, what: 'review', amount: payment.amount_minor }]
    case 'pending':
    case 'requires_action':
      return [{ ...told, what: 'open', amount: payment.amount_minor }]
  }
}
