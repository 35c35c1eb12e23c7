import { describe, expect, it } from 'vitest'
import { HOUR } from '@/lib/time'
import { lengthOf } from '@/lib/time-span'
import { hoursToShow, startOfHour } from './shown-hours'

const BERLIN = 'Europe/Berlin'
const now = new Date('2026-11-26T14:07:00Z')
const span = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) })

describe('startOfHour', () => {
  it('is that of the clock of the place', () => {
    const moment = new Date('2026-11-26T14:50:20Z')
    expect(startOfHour(moment, BERLIN)).toEqual(new Date('2026-11-26T14:00:00Z'))
    // There it is 20:20.
    expect(startOfHour(moment, 'Asia/Kolkata')).toEqual(new Date('2026-11-26T14:30:00Z'))
  })

  it('is the right one of two that the clock shows alike', () => {
    expect(startOfHour(new Date('2026-10-25T01:40:00Z'), BERLIN)).toEqual(
      new Date('2026-10-25T01:00:00Z'),
    )
  })
})

describe('hoursToShow', () => {
  it('of today are those to come, a day long', () => {
    expect(hoursToShow(span('2026-11-26T18:00:00Z', '2026-11-26T20:00:00Z'), BERLIN, now)).toEqual(
      span('2026-11-26T14:00:00Z', '2026-11-27T14:00:00Z'),
    )
  })

  it('of today begin with an arrival a moment ago', () => {
    const soon = new Date('2026-11-26T14:01:00Z')
    expect(
      hoursToShow(span('2026-11-26T13:58:00Z', '2026-11-26T15:00:00Z'), BERLIN, soon).from,
    ).toEqual(new Date('2026-11-26T13:00:00Z'))
  })

  it('of another day are that day, from midnight to midnight there', () => {
    expect(hoursToShow(span('2026-12-01T08:00:00Z', '2026-12-01T09:00:00Z'), BERLIN, now)).toEqual(
      span('2026-11-30T23:00:00Z', '2026-12-01T23:00:00Z'),
    )
  })

  it('of the day when the clocks go back are twenty-five', () => {
    const shown = hoursToShow(
      span('2026-10-25T10:00:00Z', '2026-10-25T11:00:00Z'),
      BERLIN,
      new Date('2026-10-20T10:00:00Z'),
    )
    expect(lengthOf(shown) / HOUR).toBe(25)
  })

  it('go on to the end of the stay, as far as the API looks', () => {
    expect(
      hoursToShow(span('2026-12-01T20:00:00Z', '2026-12-02T01:30:00Z'), BERLIN, now).to,
    ).toEqual(new Date('2026-12-02T02:00:00Z'))
    expect(
      lengthOf(hoursToShow(span('2026-12-01T20:00:00Z', '2026-12-20T01:30:00Z'), BERLIN, now)) /
        HOUR,
    ).toBe(48)
  })
})
