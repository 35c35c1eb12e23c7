import { describe, expect, it } from 'vitest'
import { DAY_MINUTES, isAlwaysOpen, readHours, type Week } from './opening-hours'

/** The week in short: each day its minutes, from Monday on. */
function weekOf(text: string): Week {
  const { week } = readHours(text)
  if (!week) throw new Error(`${text} was not read.`)
  return week
}
const at = (hour: number, minute = 0) => hour * 60 + minute
const whole = [[0, DAY_MINUTES]]

describe('readHours', () => {
  it('reads days, times and rules as the API does', () => {
    const week = weekOf('Mo-Fr 07:00-20:30; Sa 07:00-21:00')
    expect(week[0]).toEqual([[at(7), at(20, 30)]])
    expect(week[4]).toEqual([[at(7), at(20, 30)]])
    expect(week[5]).toEqual([[at(7), at(21)]])
    expect(week[6]).toEqual([])
  })

  it.each(['24/7', '00:00-24:00', 'Mo-Su 00:00-12:00,12:00-24:00', 'Mo-Su'])(
    'knows %s as always open',
    (text) => {
      expect(isAlwaysOpen(weekOf(text))).toBe(true)
    },
  )

  it('does not take a day off for always open', () => {
    expect(isAlwaysOpen(weekOf('24/7; Su off'))).toBe(false)
    expect(weekOf('24/7; Su off')[6]).toEqual([])
    expect(weekOf('24/7; Su off')[0]).toEqual(whole)
  })

  it('lets a later rule replace an earlier one', () => {
    const week = weekOf('08:00-20:00; Su 10:00-12:00')
    expect(week[5]).toEqual([[at(8), at(20)]])
    expect(week[6]).toEqual([[at(10), at(12)]])
  })

  it('wraps around the end of the week, and around midnight', () => {
    const week = weekOf('Sa-Mo 10:00-12:00')
    expect(week.map((ranges) => ranges.length)).toEqual([1, 0, 0, 0, 0, 1, 1])
    expect(weekOf('Fr 18:00-02:00')[4]).toEqual([[at(18), at(26)]])
  })

  it('joins what touches, but for more than can be written', () => {
    expect(weekOf('08:00-12:00,12:00-18:00')[0]).toEqual([[at(8), at(18)]])
    expect(weekOf('13:00-18:00 , 08:00-12:00')[0]).toEqual([
      [at(8), at(12)],
      [at(13), at(18)],
    ])
    expect(weekOf('08:00-20:00,20:00-09:00')[0]).toHaveLength(2)
  })

  it('takes what people type: long dashes, colons, capitals', () => {
    expect(weekOf('mo-fr: 8:00 – 9:30;')[0]).toEqual([[at(8), at(9, 30)]])
    expect(weekOf('closed').every((ranges) => ranges.length === 0)).toBe(true)
  })

  it.each([
    ['', 'empty'],
    [';', 'empty'],
    ['whenever', 'unreadable'],
    ['Mo-Xx 08:00-09:00', 'unreadable'],
    ['Mo-Fr 08:00', 'unreadable'],
    ['Mo-Fr 08:00-09:00 Sa 10:00-11:00', 'unreadable'],
    ['Monday 08:00-09:00', 'unreadable'],
    ['24/7 off', 'unreadable'],
    ['08:00-09:00,', 'unreadable'],
    ['１２:00-13:00', 'unreadable'],
    ['08:00-25:00', 'noTime'],
    ['08:61-09:00', 'noTime'],
    ['24:00-02:00', 'noTime'],
    ['08:00-08:00', 'atOnce'],
    ['Mo 08:00-12:00,11:00-13:00', 'overlap'],
    ['Mo'.repeat(200), 'long'],
  ])('refuses %s and says why', (text, mistake) => {
    expect(readHours(text).mistake).toBe(mistake)
  })

  it('names the part that is wrong', () => {
    expect(readHours('Mo-Fr 07:00-20:00; Sa whenever')).toEqual({
      mistake: 'unreadable',
      part: 'sa whenever',
    })
  })
})
