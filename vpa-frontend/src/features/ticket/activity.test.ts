import { describe, expect, it } from 'vitest'
import type { Payment } from '@/api/payments'
import { activityOf } from './activity'

const booking = { created_at: '2026-11-26T16:11:00Z', confirmed_at: null as string | null }

function payment(id: number, change: Partial<Payment>): Payment {
  return {
    id,
    reservation_id: 7,
    method: 'sandbox',
    status: 'succeeded',
    amount_minor: 16_500,
    refunded_minor: 0,
    currency: 'EUR',
    client_secret: null,
    failure: null,
    created_at: '2026-11-26T16:12:00Z',
    settled_at: null,
    receipt_number: null,
    ...change,
  }
}

describe('activityOf', () => {
  it('tells the latest first: the payment that failed between the booking and the one that worked', () => {
    const told = activityOf({ ...booking, confirmed_at: '2026-11-26T16:14:05Z' }, [
      payment(2, { settled_at: '2026-11-26T16:14:05Z' }),
      payment(1, {
        status: 'failed',
        settled_at: '2026-11-26T16:12:30Z',
        failure: { code: 'card_declined', message: 'The card was declined.' },
      }),
    ])
    expect(told.map(({ what, at }) => [what, at])).toEqual([
      ['paid', '2026-11-26T16:14:05Z'],
      ['failed', '2026-11-26T16:12:30Z'],
      ['booked', '2026-11-26T16:11:00Z'],
    ])
    expect(told[1]).toMatchObject({ reason: 'The card was declined.' })
  })

  it('says of a stay that costs nothing that it was confirmed', () => {
    const told = activityOf({ ...booking, confirmed_at: booking.created_at }, [])
    expect(told.map(({ what }) => what)).toEqual(['free', 'booked'])
  })

  it('takes no payment for done that is not', () => {
    const told = activityOf(booking, [
      payment(1, { status: 'requires_action' }),
      payment(2, { status: 'review', settled_at: '2026-11-26T16:20:00Z' }),
    ])
    expect(told.map(({ what }) => what)).toEqual(['review', 'open', 'booked'])
  })
})
