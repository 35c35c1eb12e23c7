import { describe, expect, it } from 'vitest'
import { refundTerms } from './refund'

const policy = (name: 'flexible' | 'standard' | 'saver') => ({
  name,
  steps: {
    flexible: [{ until_hours_before: 0, percent: 100 }],
    standard: [
      { until_hours_before: 24, percent: 100 },
      { until_hours_before: 2, percent: 75 },
      { until_hours_before: 0, percent: 50 },
    ],
    saver: [],
  }[name],
  full_refund_within_minutes: 15,
  full_refund_until_hours_before: 1,
})
const start = '2026-11-28T10:00:00Z'
const at = (time: string) => new Date(`2026-11-${time}:00Z`)

describe('what comes back', () => {
  it('is all until a day before', () => {
    expect(refundTerms(policy('standard'), start, at('26T10:00'))).toEqual({
      freeUntil: new Date('2026-11-27T10:00:00Z'),
    })
  })

  it('is less from then on, but all for a while after booking', () => {
    expect(refundTerms(policy('standard'), start, at('27T10:00'))).toEqual({
      graceMinutes: 15,
      part: { percent: 75, until: new Date('2026-11-28T08:00:00Z') },
    })
  })

  it('is half in the last two hours, and there is no such while in the last one', () => {
    expect(refundTerms(policy('standard'), start, at('28T08:30'))).toEqual({
      graceMinutes: 15,
      part: { percent: 50, until: new Date(start) },
    })
    expect(refundTerms(policy('standard'), start, at('28T09:00'))).toEqual({
      part: { percent: 50, until: new Date(start) },
    })
  })

  it('is nothing once the stay has begun', () => {
    expect(refundTerms(policy('standard'), start, at('28T10:00'))).toEqual({})
  })

  it('is all until the start, or hardly anything, where the lot says so', () => {
    expect(refundTerms(policy('flexible'), start, at('28T09:59'))).toEqual({
      freeUntil: new Date(start),
    })
    expect(refundTerms(policy('saver'), start, at('26T10:00'))).toEqual({ graceMinutes: 15 })
    expect(refundTerms(policy('saver'), start, at('28T09:30'))).toEqual({})
  })
})
