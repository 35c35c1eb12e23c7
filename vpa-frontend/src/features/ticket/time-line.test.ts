import { describe, expect, it } from 'vitest'
import { countParts, kerbOf, passedOf, ticksOf } from './time-line'

const START = new Date('2026-11-26T18:00:00Z')
const after = (hours: number) => new Date(START.getTime() + hours * 3_600_000)

describe('ticksOf', () => {
  it('marks quarters of a short stay, its hours taller', () => {
    const ticks = ticksOf(START, after(3))
    expect(ticks).toHaveLength(13)
    expect(ticks.filter((tick) => tick.isTall).map((tick) => tick.at)).toEqual([0, 1 / 3, 2 / 3, 1])
  })

  it.each([0.25, 1, 5.25, 9, 24, 100, 720])('has room for all marks of %s hours', (hours) => {
    const ticks = ticksOf(START, after(hours))
    expect(ticks.length).toBeGreaterThan(1)
    expect(ticks.length).toBeLessThanOrEqual(25)
    expect(ticks.at(-1)?.at).toBeLessThanOrEqual(1)
  })
})

describe('kerbOf and passedOf', () => {
  it('stripes the last 15 minutes', () => {
    expect(kerbOf(START, after(3))).toBeCloseTo(15 / 180)
    expect(kerbOf(START, after(0.25))).toBe(1)
  })

  it('stays within the stay, before it and after it', () => {
    expect(passedOf(START, after(2), after(-1))).toBe(0)
    expect(passedOf(START, after(2), after(0.5))).toBe(0.25)
    expect(passedOf(START, after(2), after(5))).toBe(1)
  })
})

describe('countParts', () => {
  const said = (seconds: number) =>
    countParts(seconds)
      .map(({ value, unit }) => value + unit)
      .join(' ')

  it('shows what a clock would', () => {
    expect(said(5048)).toBe('1h 24m 08s')
    expect(said(272)).toBe('4m 32s')
    expect(said(9)).toBe('0m 09s')
    expect(said(2 * 86_400 + 3 * 3600 + 65)).toBe('2d 03h 01m')
  })
})
