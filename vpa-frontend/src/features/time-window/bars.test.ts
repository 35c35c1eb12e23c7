import { describe, expect, it } from 'vitest'
import { barsOf, ticksOf } from './bars'

const BERLIN = 'Europe/Berlin'
const span = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) })
const hour = (startsAt: string, free: number, capacity = 100) => ({
  starts_at: startsAt,
  ends_at: new Date(Date.parse(startsAt) + 3_600_000).toISOString(),
  free,
  capacity,
})

describe('barsOf', () => {
  const shown = span('2026-11-26T14:00:00Z', '2026-11-26T18:00:00Z')
  const heights = (...free: number[]) =>
    barsOf(
      shown,
      free.map((count, index) => hour(`2026-11-26T${14 + index}:00:00Z`, count)),
    ).map((bar) => bar.height)

  it('are as high as more is free, and the fullest hours differ', () => {
    const [first, second, third, last] = heights(20, 90, 55, 40)
    expect(second).toBe(100)
    expect([first, last, third, second]).toEqual(
      [first, last, third, second].sort((a, b) => Number(a) - Number(b)),
    )
  })

  it('show the shape also where little changes', () => {
    const [first, second] = heights(96, 99, 98, 99)
    expect(Number(second) - Number(first)).toBeGreaterThan(30)
  })

  it('are all full where nothing changes, and none where nothing is free', () => {
    expect(heights(50, 50, 50, 50)).toEqual([100, 100, 100, 100])
    expect(heights(0, 0, 0, 0)).toEqual([0, 0, 0, 0])
  })

  it('say which hours are scarce, and which are not known', () => {
    const bars = barsOf(shown, [hour('2026-11-26T14:00:00Z', 10), hour('2026-11-26T15:00:00Z', 11)])
    expect(bars.map((bar) => [bar.free, bar.isScarce])).toEqual([
      [10, true],
      [11, false],
      [undefined, false],
      [undefined, false],
    ])
    expect(barsOf(shown, [hour('2026-11-26T14:00:00Z', 0, 0)])[0]?.isScarce).toBe(false)
  })
})

describe('ticksOf', () => {
  it('stand at each third hour of the clock, at each sixth of many', () => {
    const day = barsOf(span('2026-11-26T14:00:00Z', '2026-11-27T14:00:00Z'), [])
    expect(ticksOf(day, BERLIN).map(({ at }) => at.toISOString().slice(11, 16))).toEqual([
      '14:00',
      '17:00',
      '20:00',
      '23:00',
      '02:00',
      '05:00',
      '08:00',
      '11:00',
    ])
    const two = barsOf(span('2026-11-26T14:00:00Z', '2026-11-28T14:00:00Z'), [])
    expect(ticksOf(two, BERLIN)).toHaveLength(8)
    expect(ticksOf(two, BERLIN).map(({ isMinor }) => isMinor)).toContain(true)
  })
})
