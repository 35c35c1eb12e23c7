import type { Lot } from '@/api/lots'
import { fromWall, toWall } from '@/lib/time'

export type DayHours = Lot['opening_hours_by_day'][number]

const DAY_MINUTES = 24 * 60

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

const isWholeDay = ({ ranges }: DayHours) =>
  ranges.length === 1 && ranges[0]?.opens === '00:00' && ranges[0].closes === '24:00'

export const isAlwaysOpen = (week: readonly DayHours[]): boolean => week.every(isWholeDay)

export type OpenState =
  | { is: 'always' }
  /** Without an end, it is open for all that is left of the day and on. */
  | { is: 'open'; until?: Date }
  | { is: 'closed'; opens?: Date }

/** Whether a car park is open at a moment, and what comes next; days begin in the car park's own zone. */
export function openState(week: readonly DayHours[], zone: string, now: Date): OpenState {
  if (isAlwaysOpen(week)) return { is: 'always' }
  const wall = toWall(now, zone)
  const midnight = Date.parse(`${wall.slice(0, 10)}T00:00Z`)
  // The week starts on Monday.
  const today = (new Date(midnight).getUTCDay() + 6) % 7
  const minute = minutesOf(wall.slice(11))

  // From yesterday, whose hours may reach into today, to a week from now.
  const spans: { opens: number; closes: number }[] = []
  for (let offset = -1; offset <= 7; offset += 1) {
    for (const range of week[(today + offset + 7) % 7]?.ranges ?? []) {
      const opens = minutesOf(range.opens)
      const closes = minutesOf(range.closes)
      const start = offset * DAY_MINUTES + opens
      const end = offset * DAY_MINUTES + closes + (closes <= opens ? DAY_MINUTES : 0)
      const before = spans.at(-1)
      // What closes at midnight and opens then has not closed.
      if (before && before.closes >= start) before.closes = Math.max(before.closes, end)
      else spans.push({ opens: start, closes: end })
    }
  }
  const next = spans.find(({ closes }) => closes > minute)
  if (!next) return { is: 'closed' }
  const at = (minutes: number) =>
    fromWall(new Date(midnight + minutes * 60_000).toISOString().slice(0, 16), zone)
  if (next.opens > minute) return { is: 'closed', opens: at(next.opens) }
  return { is: 'open', until: next.closes < 7 * DAY_MINUTES ? at(next.closes) : undefined }
}
