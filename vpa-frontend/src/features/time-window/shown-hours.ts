import { DAY, fromWall, HOUR, MINUTE, toWall } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'

/** The API looks at so many hours at once. */
const MOST_HOURS = 48

const startOfDay = (day: string, zone: string) => fromWall(`${day}T00:00`, zone) as Date

/** The full hour, on the clock of a zone, in which an instant lies. */
export function startOfHour(instant: Date, zone: string): Date {
  const minutes = Number(toWall(instant, zone).slice(14))
  return new Date(Math.floor(instant.getTime() / MINUTE) * MINUTE - minutes * MINUTE)
}

/**
 * The hours to show for a stay: the day of its arrival, of today those that are still to come and as many of
 * tomorrow, and on to its end as far as the API looks.
 */
export function hoursToShow(span: TimeSpan, zone: string, now: Date): TimeSpan {
  const day = toWall(span.from, zone).slice(0, 10)
  const isToday = day === toWall(now, zone).slice(0, 10)
  const from = isToday
    ? startOfHour(span.from < now ? span.from : now, zone)
    : startOfDay(day, zone)
  // A day has 23 or 25 hours where the clocks change.
  const usual = isToday
    ? from.getTime() + DAY
    : startOfDay(toWall(new Date(from.getTime() + 36 * HOUR), zone).slice(0, 10), zone).getTime()
  const wanted = span.to.getTime() > usual ? startOfHour(span.to, zone).getTime() + HOUR : usual
  return { from, to: new Date(Math.min(wanted, from.getTime() + MOST_HOURS * HOUR)) }
}
