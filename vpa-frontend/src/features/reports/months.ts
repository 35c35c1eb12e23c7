import { toWall } from '@/lib/time'

/** The hour of the first at which a month's report is made. */
const HOUR = 6

const write = (year: number, month: number, day: number) => new Date(Date.UTC(year, month - 1, day))

/** A month of the API, such as 2026-10, as people write it: October 2026. */
export function monthName(month: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(new Date(`${month}-01T00:00:00Z`))
}

/** When the next report comes by the clock of this zone, and about which month it is. */
export function nextReport(
  now: Date,
  zone: string,
  locale: string,
): { date: string; month: string } {
  const wall = toWall(now, zone)
  const [year = 0, month = 0, day = 0, hour = 0] = wall.split(/[-T:]/).map(Number)
  const isToday = day === 1 && hour < HOUR
  const due = write(year, isToday ? month : month + 1, 1)
  const about = write(year, isToday ? month - 1 : month, 1)
  return {
    date: new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(due),
    month: new Intl.DateTimeFormat(locale, { month: 'long', timeZone: 'UTC' }).format(about),
  }
}
