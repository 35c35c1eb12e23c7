import { describe, expect, it } from 'vitest'
import { bookingState, bookingTone, fullAddress, isNow, isOver, nextSpan } from './booking'

const NOON = new Date('2026-11-26T12:00:00Z')

function standing(status: Parameters<typeof bookingState>[0]['status'], from = 13, to = 15) {
  return {
    status,
    starts_at: `2026-11-26T${from}:00:00Z`,
    ends_at: `2026-11-26T${to}:00:00Z`,
    hold_expires_at: null as string | null,
    paid_minor: 0,
    debt_minor: 0,
  }
}

describe('bookingState', () => {
  it('tells a paid booking by its time', () => {
    expect(bookingState(standing('confirmed', 13, 15), NOON)).toBe('booked')
    expect(bookingState(standing('confirmed', 12, 15), NOON)).toBe('under-way')
    expect(bookingState(standing('confirmed', 10, 12), NOON)).toBe('ended')
  })

  it('takes a hold past its deadline for expired, though the answer is older than that', () => {
    const held = { ...standing('held'), hold_expires_at: '2026-11-26T12:00:01Z' }
    expect(bookingState(held, NOON)).toBe('unpaid')
    expect(bookingState(held, new Date('2026-11-26T12:00:01Z'))).toBe('expired')
  })

  it('is over time when a parked car has not left by the end', () => {
    expect(bookingState(standing('checked_in', 10, 15), NOON)).toBe('parked')
    expect(bookingState(standing('checked_in', 10, 12), NOON)).toBe('over-time')
  })

  it('tells a bay that was let go from a booking that was paid and cancelled', () => {
    expect(bookingState(standing('cancelled'), NOON)).toBe('released')
    expect(bookingState({ ...standing('cancelled'), paid_minor: 400 }, NOON)).toBe('cancelled')
  })

  it('is not done with while something of it is owed', () => {
    expect(bookingState(standing('completed'), NOON)).toBe('completed')
    const owing = bookingState({ ...standing('completed'), debt_minor: 200 }, NOON)
    expect(owing).toBe('owing')
    expect(isOver(owing)).toBe(true)
    expect(bookingTone(owing)).toBe('bad')
  })

  it('keeps what can still be used apart from what is over', () => {
    const over = (['completed', 'cancelled', 'expired', 'no_show'] as const).map((status) =>
      bookingState(standing(status), NOON),
    )
    expect(over.every(isOver)).toBe(true)
    expect(over.some(isNow)).toBe(false)
    expect(isOver(bookingState(standing('confirmed', 13, 15), NOON))).toBe(false)
    expect(isOver(bookingState(standing('confirmed', 12, 15), NOON))).toBe(false)
  })
})

describe('nextSpan', () => {
  const parked = (starts_at: string, ends_at: string, timezone = 'Europe/Berlin') => ({
    starts_at,
    ends_at,
    lot: { timezone },
  })
  const next = (booking: ReturnType<typeof parked>, now: string) => {
    const { from, to } = nextSpan(booking, new Date(now))
    return [from.toISOString(), to.toISOString()]
  }

  it('is today when the time of day is still ahead, else tomorrow', () => {
    const morning = parked('2026-11-20T07:30:00Z', '2026-11-20T09:00:00Z')
    expect(next(morning, '2026-11-26T06:00:00Z')).toEqual([
      '2026-11-26T07:30:00.000Z',
      '2026-11-26T09:00:00.000Z',
    ])
    expect(next(morning, '2026-11-26T07:31:00Z')).toEqual([
      '2026-11-27T07:30:00.000Z',
      '2026-11-27T09:00:00.000Z',
    ])
  })

  it('keeps the time on the clock of the lot when that is put forward', () => {
    // 09:00 in Berlin is 08:00 UTC in winter and 07:00 in summer.
    const winter = parked('2026-03-20T08:00:00Z', '2026-03-20T10:00:00Z')
    expect(next(winter, '2026-03-30T05:00:00Z')).toEqual([
      '2026-03-30T07:00:00.000Z',
      '2026-03-30T09:00:00.000Z',
    ])
  })

  it('counts days on the clock of the lot, not on that of the browser', () => {
    // In Kolkata it is the 27th already, and 00:30 of it has just passed.
    const late = parked('2026-11-20T19:00:00Z', '2026-11-20T20:00:00Z', 'Asia/Kolkata')
    expect(next(late, '2026-11-26T19:05:00Z')[0]).toBe('2026-11-27T19:00:00.000Z')
    expect(next(late, '2026-11-26T18:45:00Z')[0]).toBe('2026-11-26T19:00:00.000Z')
  })

  it('is in quarters of an hour, and never shorter than before', () => {
    const odd = parked('2026-11-20T07:05:00Z', '2026-11-20T16:10:00Z')
    expect(next(odd, '2026-11-26T05:00:00Z')).toEqual([
      '2026-11-26T07:00:00.000Z',
      '2026-11-26T16:15:00.000Z',
    ])
  })
})

describe('fullAddress', () => {
  it('names the city once', () => {
    expect(fullAddress({ address: 'Altmarkt 1', city: 'Dresden' })).toBe('Altmarkt 1, Dresden')
    expect(fullAddress({ address: 'Altmarkt 1, 01067 Dresden', city: 'Dresden' })).toBe(
      'Altmarkt 1, 01067 Dresden',
    )
    expect(fullAddress({ address: '', city: 'Dresden' })).toBe('Dresden')
  })
})
