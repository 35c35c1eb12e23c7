/**
 * Times travel as UTC and are read in a lot's own zone, whatever zone the browser is in.
 *
 * An instant is a `Date` or its ISO text; a wall time is what a clock in a zone shows, as
 * `2026-11-26T18:30`, the value of date and time inputs.
 */

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

type Instant = Date | string

const formats = new Map<string, Intl.DateTimeFormat>()

function format(locale: string, zone: string, name: string, options: Intl.DateTimeFormatOptions) {
  const key = `${locale} ${zone} ${name}`
  let found = formats.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
    formats.set(key, found)
  }
  return found
}

const toDate = (instant: Instant) => (typeof instant === 'string' ? new Date(instant) : instant)

/** What the clock shows: 6:30 pm, or 18:30 where people write it so. */
export function formatTime(instant: Instant, zone: string, locale: string): string {
  return format(locale, zone, 'time', { timeStyle: 'short' }).format(toDate(instant))
}

/** The day: Thu 26 Nov. */
export function formatDay(instant: Instant, zone: string, locale: string): string {
  return format(locale, zone, 'day', { weekday: 'short', day: 'numeric', month: 'short' }).format(
    toDate(instant),
  )
}

/** The day with its year: 26 November 2026. */
export function formatDate(instant: Instant, zone: string, locale: string): string {
  return format(locale, zone, 'date', { dateStyle: 'long' }).format(toDate(instant))
}

/** The day in two pieces, for a leaf of a calendar: Nov, 26. */
export function dayParts(instant: Instant, zone: string, locale: string) {
  const parts = format(locale, zone, 'leaf', { day: 'numeric', month: 'short' }).formatToParts(
    toDate(instant),
  )
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? ''
  return { month: part('month'), day: part('day') }
}

/** The wall time of a zone, for inputs: 2026-11-26T18:30. */
export function toWall(instant: Instant, zone: string): string {
  const parts = format('en-GB', zone, 'wall', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(toDate(instant))
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`
}

/**
 * The instant at which a zone's clock shows this wall time; undefined when it is no time.
 *
 * Where the clock shows it twice it is the first one; where it never does, it is as much later as the
 * clock leaps.
 */
export function fromWall(wall: string, zone: string): Date | undefined {
  const asIfUtc = Date.parse(`${wall}Z`)
  if (Number.isNaN(asIfUtc)) return undefined
  const offsetAt = (moment: number) => Date.parse(`${toWall(new Date(moment), zone)}Z`) - moment
  const before = offsetAt(asIfUtc - DAY)
  const after = offsetAt(asIfUtc + DAY)
  const first = asIfUtc - Math.max(before, after)
  if (first + offsetAt(first) === asIfUtc) return new Date(first)
  const second = asIfUtc - Math.min(before, after)
  if (second + offsetAt(second) === asIfUtc) return new Date(second)
  return new Date(asIfUtc - before)
}

/** The day's number apart from today's in that zone: 0 today, 1 tomorrow, −1 yesterday. */
export function daysFromNow(instant: Instant, zone: string, now: Date): number {
  const day = (moment: Instant) => Date.parse(`${toWall(moment, zone).slice(0, 10)}T00:00Z`)
  return Math.round((day(instant) - day(now)) / DAY)
}

/** The next full step of a clock, by default a quarter of an hour. */
export function roundUp(instant: Date, step: number = 15 * MINUTE): Date {
  return new Date(Math.ceil(instant.getTime() / step) * step)
}

/** Whole minutes between two instants, as time really passes. */
export function minutesBetween(from: Instant, to: Instant): number {
  return Math.round((toDate(to).getTime() - toDate(from).getTime()) / MINUTE)
}

/** The API's way to write an instant. */
export function toIso(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z')
}
