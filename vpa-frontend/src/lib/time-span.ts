import { DAY, HOUR, MINUTE, roundUp } from './time'

/** What the API lets people book, so that no screen offers what it refuses. */
export const SHORTEST_STAY = 15 * MINUTE
export const LONGEST_STAY = 30 * DAY
export const FARTHEST_AHEAD = 90 * DAY
/** How long after its start a stay can still be chosen: less than the API's five minutes, to get there. */
export const LATEST_ARRIVAL = 4 * MINUTE
export const USUAL_STAY = 2 * HOUR

/** From arriving to leaving. */
export interface TimeSpan {
  from: Date
  to: Date
}

export const lengthOf = (span: TimeSpan): number => span.to.getTime() - span.from.getTime()

const later = (instant: Date, length: number) => new Date(instant.getTime() + length)
const within = (number: number, least: number, most: number) =>
  Math.min(Math.max(number, least), most)

/** The first quarter of an hour at which one can still arrive. */
export const earliestArrival = (now: Date): Date => roundUp(now)

/** The last quarter of an hour for which one can book. */
function latestArrival(now: Date): Date {
  const quarter = 15 * MINUTE
  return new Date(Math.floor((now.getTime() + FARTHEST_AHEAD) / quarter) * quarter)
}

/** Another arrival keeps the length of the stay. */
export function moveArrival(span: TimeSpan, from: Date, now: Date): TimeSpan {
  const start = new Date(
    within(from.getTime(), earliestArrival(now).getTime(), latestArrival(now).getTime()),
  )
  return { from: start, to: later(start, lengthOf(span)) }
}

/** Another departure keeps the arrival. */
export function moveDeparture(span: TimeSpan, to: Date): TimeSpan {
  const length = within(to.getTime() - span.from.getTime(), SHORTEST_STAY, LONGEST_STAY)
  return { from: span.from, to: later(span.from, length) }
}

/**
 * A wished span as it can be booked: the usual one without a wish; one whose start has passed starts
 * at the next quarter and is as long as before.
 */
export function bookableSpan(wish: TimeSpan | undefined, now: Date): TimeSpan {
  const start = earliestArrival(now)
  if (!wish) return { from: start, to: later(start, USUAL_STAY) }
  const span = moveDeparture(wish, wish.to)
  const isTooLate = wish.from.getTime() < now.getTime() - LATEST_ARRIVAL
  const isTooEarly = wish.from.getTime() > now.getTime() + FARTHEST_AHEAD
  return isTooLate || isTooEarly ? moveArrival(span, wish.from, now) : span
}
