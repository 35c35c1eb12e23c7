import { DAY, HOUR, MINUTE } from '@/lib/time'

const KERB = 15 * MINUTE
const MOST_TICKS = 24
const WIDEST = [7 * DAY, 28 * DAY] as const
const STEPS: readonly (readonly [step: number, tall: number])[] = [
  [15 * MINUTE, HOUR],
  [30 * MINUTE, HOUR],
  [HOUR, 3 * HOUR],
  [2 * HOUR, 6 * HOUR],
  [6 * HOUR, DAY],
  [12 * HOUR, DAY],
  [DAY, 7 * DAY],
  WIDEST,
]

export interface Tick {
  /** Where it stands, from 0 at the start to 1 at the end. */
  at: number
  isTall: boolean
}

/** The scale over a stay: some two dozen marks at most, counted from its start. */
export function ticksOf(startsAt: Date, endsAt: Date): Tick[] {
  const length = endsAt.getTime() - startsAt.getTime()
  const [step, tall] = STEPS.find(([each]) => length / each <= MOST_TICKS) ?? WIDEST
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => ({
    at: (index * step) / length,
    isTall: (index * step) % tall === 0,
  }))
}

/** How much of a stay is its last 15 minutes: all of it at most. */
export function kerbOf(startsAt: Date, endsAt: Date): number {
  return Math.min(1, KERB / (endsAt.getTime() - startsAt.getTime()))
}

/** How much of a stay is over at a moment. */
export function passedOf(startsAt: Date, endsAt: Date, now: Date): number {
  const passed = (now.getTime() - startsAt.getTime()) / (endsAt.getTime() - startsAt.getTime())
  return Math.min(1, Math.max(0, passed))
}

export interface CountPart {
  value: string
  unit: 'd' | 'h' | 'm' | 's'
}

/** A length in the parts that a clock would show: days and hours without seconds, which race then. */
export function countParts(seconds: number): CountPart[] {
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor(seconds / 3600) % 24
  const minutes = Math.floor(seconds / 60) % 60
  const two = (number: number) => String(number).padStart(2, '0')
  if (days > 0) {
    return [
      { value: String(days), unit: 'd' },
      { value: two(hours), unit: 'h' },
      { value: two(minutes), unit: 'm' },
    ]
  }
  const rest: CountPart[] = [
    { value: hours > 0 ? two(minutes) : String(minutes), unit: 'm' },
    { value: two(seconds % 60), unit: 's' },
  ]
  return hours > 0 ? [{ value: String(hours), unit: 'h' }, ...rest] : rest
}
