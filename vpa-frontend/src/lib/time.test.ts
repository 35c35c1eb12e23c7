import { describe, expect, it } from 'vitest'
import {
  DAY,
  HOUR,
  MINUTE,
  daysFromNow,
  formatDate,
  formatDay,
  formatTime,
  fromWall,
  minutesBetween,
  roundUp,
  toIso,
  toWall,
} from './time'

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')
const iso = (moment: Date | undefined) => moment && toIso(moment)

it('runs where the machine is in no zone of the tests, so that none is taken for it', () => {
  expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe('America/St_Johns')
})

describe('toWall', () => {
  it.each([
    ['2026-11-26T17:30:00Z', 'Europe/Berlin', '2026-11-26T18:30'],
    ['2026-11-26T18:30:00Z', 'Asia/Kolkata', '2026-11-27T00:00'],
    ['2026-12-31T23:00:00Z', 'Europe/Berlin', '2027-01-01T00:00'],
    ['2026-07-01T12:00:00Z', 'Australia/Lord_Howe', '2026-07-01T22:30'],
    ['2026-01-01T12:00:00Z', 'Australia/Lord_Howe', '2026-01-01T23:00'],
  ])('reads %s in %s as %s', (instant, zone, wall) => {
    expect(toWall(instant, zone)).toBe(wall)
    expect(toWall(new Date(instant), zone)).toBe(wall)
  })
})

describe('fromWall', () => {
  it.each([
    ['2026-11-26T18:30', 'Europe/Berlin', '2026-11-26T17:30:00Z'],
    ['2026-07-26T18:30', 'Europe/Berlin', '2026-07-26T16:30:00Z'],
    ['2026-11-27T00:00', 'Asia/Kolkata', '2026-11-26T18:30:00Z'],
    ['2026-11-26T00:00', 'Pacific/Kiritimati', '2026-11-25T10:00:00Z'],
  ])('finds %s in %s at %s', (wall, zone, instant) => {
    expect(iso(fromWall(wall, zone))).toBe(instant)
  })

  it.each([
    // In the night of the leap there is no 02:30: it is as much later as the clock leaps.
    ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00Z', '2026-03-29T03:30'],
    ['2026-03-29T02:00', 'Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29T03:00'],
    // Lord Howe leaps by half an hour.
    ['2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-03T15:45:00Z', '2026-10-04T02:45'],
    // Once, midnight itself did not exist in Brazil.
    ['2018-11-04T00:30', 'America/Sao_Paulo', '2018-11-04T03:30:00Z', '2018-11-04T01:30'],
  ])('moves %s in %s over the gap', (wall, zone, instant, shown) => {
    const moment = fromWall(wall, zone)
    expect(iso(moment)).toBe(instant)
    expect(moment && toWall(moment, zone)).toBe(shown)
  })

  it.each([
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z'],
    ['2026-04-05T01:45', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z'],
    ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00Z'],
  ])('takes the first of the two %s of %s', (wall, zone, instant) => {
    expect(iso(fromWall(wall, zone))).toBe(instant)
  })

  it.each(['Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns'])(
    'undoes toWall for each quarter hour around the changes of the clock in %s',
    (zone) => {
      const changes = ['2026-03-08', '2026-03-29', '2026-04-04', '2026-10-03', '2026-10-25']
      for (const day of changes) {
        const start = Date.parse(`${day}T00:00Z`) - DAY
        for (let at = start; at < start + 3 * DAY; at += 15 * MINUTE) {
          const wall = toWall(new Date(at), zone)
          const found = fromWall(wall, zone)?.getTime() ?? Number.NaN
          // Of a time that comes twice, the first is meant.
          expect(toWall(new Date(found), zone)).toBe(wall)
          expect(at - found === 0 || at - found === HOUR || at - found === 30 * MINUTE).toBe(true)
        }
      }
    },
  )

  it('knows no instant for what is no time', () => {
    expect(fromWall('', 'Europe/Berlin')).toBeUndefined()
    expect(fromWall('2026-11-26T', 'Europe/Berlin')).toBeUndefined()
    expect(fromWall('tomorrow', 'Europe/Berlin')).toBeUndefined()
  })
})

describe('daysFromNow', () => {
  it('counts by the days of the zone, not by hours', () => {
    const now = new Date('2026-11-26T22:30:00Z') // 23:30 in Berlin
    expect(daysFromNow('2026-11-26T22:59:59Z', 'Europe/Berlin', now)).toBe(0)
    expect(daysFromNow('2026-11-26T23:00:00Z', 'Europe/Berlin', now)).toBe(1)
    expect(daysFromNow('2026-11-25T22:59:59Z', 'Europe/Berlin', now)).toBe(-1)
    expect(daysFromNow('2026-11-26T23:00:00Z', 'Asia/Kolkata', now)).toBe(0)
  })

  it('is not led astray by days of 23 and 25 hours', () => {
    const before = new Date('2026-03-28T12:00:00Z')
    expect(daysFromNow('2026-03-30T12:00:00Z', 'Europe/Berlin', before)).toBe(2)
    const autumn = new Date('2026-10-24T12:00:00Z')
    expect(daysFromNow('2026-10-26T12:00:00Z', 'Europe/Berlin', autumn)).toBe(2)
  })

  it('goes on over the end of a year', () => {
    expect(
      daysFromNow('2027-01-01T12:00:00Z', 'Europe/Berlin', new Date('2026-12-31T12:00Z')),
    ).toBe(1)
  })
})

describe('the words of a time', () => {
  it('are those of the zone and of the reader', () => {
    expect(plain(formatTime('2026-11-26T13:00:00Z', 'Asia/Kolkata', 'en-IN'))).toBe('6:30 pm')
    expect(formatTime('2026-11-26T13:00:00Z', 'Europe/Berlin', 'de-DE')).toBe('14:00')
    expect(formatDay('2026-11-26T23:30:00Z', 'Europe/Berlin', 'en-GB')).toMatch(/^Fri,? 27 Nov$/)
    expect(formatDate('2026-11-26T13:00:00Z', 'Europe/Berlin', 'en-GB')).toBe('26 November 2026')
  })
})

describe('roundUp', () => {
  it('goes to the next step, and stays on one', () => {
    expect(iso(roundUp(new Date('2026-11-26T18:31:00Z')))).toBe('2026-11-26T18:45:00Z')
    expect(iso(roundUp(new Date('2026-11-26T18:45:00Z')))).toBe('2026-11-26T18:45:00Z')
    expect(iso(roundUp(new Date('2026-11-26T18:45:00.001Z')))).toBe('2026-11-26T19:00:00Z')
    expect(iso(roundUp(new Date('2026-11-26T18:31:00Z'), HOUR))).toBe('2026-11-26T19:00:00Z')
  })
})

describe('minutesBetween', () => {
  it('counts time as it passes, whatever the clock does meanwhile', () => {
    const from = fromWall('2026-03-29T01:00', 'Europe/Berlin') ?? new Date(0)
    const to = fromWall('2026-03-29T04:00', 'Europe/Berlin') ?? new Date(0)
    expect(minutesBetween(from, to)).toBe(120)
    expect(minutesBetween('2026-11-26T18:00:00Z', '2026-11-26T17:15:00Z')).toBe(-45)
  })
})

describe('toIso', () => {
  it('writes as the API does, with fractions only where there are some', () => {
    expect(toIso(new Date('2026-11-26T18:00:00.000Z'))).toBe('2026-11-26T18:00:00Z')
    expect(toIso(new Date('2026-11-26T18:00:00.250Z'))).toBe('2026-11-26T18:00:00.250Z')
  })
})
