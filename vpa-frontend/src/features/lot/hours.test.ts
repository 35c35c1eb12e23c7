import { describe, expect, it } from 'vitest'
import { isAlwaysOpen, openState, type DayHours } from './hours'

const DAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'] as const
const BERLIN = 'Europe/Berlin'

/** A week from its ranges by day; a day without has none. */
function aWeek(hours: Partial<Record<(typeof DAYS)[number], string[]>>): DayHours[] {
  return DAYS.map((day) => ({
    day,
    ranges: (hours[day] ?? []).map((range) => {
      const [opens = '', closes = ''] = range.split('-')
      return { opens, closes }
    }),
  }))
}
const everyDay = (...ranges: string[]) =>
  aWeek(Object.fromEntries(DAYS.map((day) => [day, ranges])))

describe('whether it is open', () => {
  // A Thursday; Berlin is an hour ahead.
  const at = (time: string) => new Date(`2026-11-26T${time}:00Z`)

  it('is always, where every day is whole', () => {
    expect(isAlwaysOpen(everyDay('00:00-24:00'))).toBe(true)
    expect(openState(everyDay('00:00-24:00'), BERLIN, at('02:00'))).toEqual({ is: 'always' })
  })

  it('is until it closes, by the clock of the car park', () => {
    const week = everyDay('07:00-20:30')
    expect(openState(week, BERLIN, at('18:00'))).toEqual({ is: 'open', until: at('19:30') })
    expect(openState(week, BERLIN, at('06:00'))).toEqual({ is: 'open', until: at('19:30') })
  })

  it('is not before it opens or after it closes', () => {
    const week = everyDay('07:00-20:30')
    expect(openState(week, BERLIN, at('05:59'))).toEqual({ is: 'closed', opens: at('06:00') })
    expect(openState(week, BERLIN, at('19:30'))).toEqual({
      is: 'closed',
      opens: new Date('2026-11-27T06:00:00Z'),
    })
  })

  it('is past midnight, where the evening lasts that long', () => {
    const week = aWeek({ We: ['18:00-02:00'] })
    // 01:30 on Thursday in Berlin
    expect(openState(week, BERLIN, at('00:30'))).toEqual({ is: 'open', until: at('01:00') })
  })

  it('is over midnight, where the next day goes on at once', () => {
    const week = aWeek({ Th: ['08:00-24:00'], Fr: ['00:00-12:00'] })
    expect(openState(week, BERLIN, at('20:00'))).toEqual({
      is: 'open',
      until: new Date('2026-11-27T11:00:00Z'),
    })
  })

  it('is between two ranges of a day closed until the second', () => {
    const week = everyDay('08:00-12:00', '14:00-18:00')
    expect(openState(week, BERLIN, at('12:00'))).toEqual({ is: 'closed', opens: at('13:00') })
  })

  it('is next week, where it has just closed for this one', () => {
    const week = aWeek({ Th: ['08:00-12:00'] })
    expect(openState(week, BERLIN, at('15:00'))).toEqual({
      is: 'closed',
      opens: new Date('2026-12-03T07:00:00Z'),
    })
  })

  it('is never, where no day has hours', () => {
    expect(openState(aWeek({}), BERLIN, at('12:00'))).toEqual({ is: 'closed' })
  })

  it('has no end within the week, where only one day of it closes early', () => {
    const week = everyDay('00:00-24:00').map((day) =>
      day.day === 'We' ? { ...day, ranges: [{ opens: '00:00', closes: '22:00' }] } : day,
    )
    // From Thursday on it is open until Wednesday evening.
    expect(openState(week, BERLIN, at('12:00'))).toEqual({
      is: 'open',
      until: new Date('2026-12-02T21:00:00Z'),
    })
  })
})
