import { describe, expect, it } from 'vitest'
import { anEvent, aPayment } from '@/test/bookings'
import { activityOf } from './activity'

const unpaid = { confirmed_at: null }
const BOOKED = anEvent({ at: '2026-11-26T16:11:00Z' })

describe('activityOf', () => {
  it('tells the latest first: the payment that failed between the booking and the one that worked', () => {
    const told = activityOf(
      { confirmed_at: '2026-11-26T16:14:05Z' },
      [BOOKED, anEvent({ id: 1, kind: 'paid', at: '2026-11-26T16:14:05Z' })],
      [
        aPayment({ id: 2, settled_at: '2026-11-26T16:14:05Z' }),
        aPayment({
          id: 1,
          status: 'failed',
          settled_at: '2026-11-26T16:12:30Z',
          failure: { code: 'card_declined', message: 'The card was declined.' },
        }),
      ],
    )
    expect(told.map(({ what, at }) => [what, at])).toEqual([
      ['paid', '2026-11-26T16:14:05Z'],
      ['failed', '2026-11-26T16:12:30Z'],
      ['booked', '2026-11-26T16:11:00Z'],
    ])
    expect(told[1]).toMatchObject({ reason: 'The card was declined.' })
  })

  it('knows of payments that were made before any was taken down', () => {
    const settled_at = '2026-11-26T16:14:05Z'
    const told = activityOf({ confirmed_at: settled_at }, [BOOKED], [aPayment({ settled_at })])
    expect(told.map(({ what }) => what)).toEqual(['paid', 'booked'])
    expect(told[0]).toMatchObject({ facts: { amount_minor: 400 } })
  })

  it('says of a stay that costs nothing that it was confirmed', () => {
    const told = activityOf({ confirmed_at: BOOKED.at }, [BOOKED], [])
    expect(told.map(({ what }) => what)).toEqual(['free', 'booked'])
  })

  it('takes no payment for done that is not', () => {
    const told = activityOf(
      unpaid,
      [BOOKED],
      [
        aPayment({
          id: 1,
          status: 'requires_action',
          settled_at: null,
          created_at: '2026-11-26T16:12:00Z',
        }),
        aPayment({ id: 2, status: 'review', settled_at: '2026-11-26T16:20:00Z' }),
      ],
    )
    expect(told.map(({ what }) => what)).toEqual(['review', 'open', 'booked'])
  })

  it('keeps the order of what happened at one moment', () => {
    const at = '2026-11-26T18:00:00Z'
    const told = activityOf(
      unpaid,
      [BOOKED, anEvent({ id: 5, kind: 'left', at }), anEvent({ id: 6, kind: 'completed', at })],
      [],
    )
    expect(told.map(({ what }) => what)).toEqual(['completed', 'left', 'booked'])
  })
})
