import { HOUR, toWall } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'

/** What is known of one hour, as the API tells it. */
export interface FreeHour {
  starts_at: string
  ends_at: string
  free: number
  capacity: number
}

export interface Bar {
  startsAt: Date
  endsAt: Date
  /** Undefined until it is known. */
  free: number | undefined
  capacity: number
  /** Per cent of the chart's height. */
  height: number
  /** A tenth or less is free. */
  isScarce: boolean
}

const FEWEST_PERCENT = 16

/**
 * The bars of the hours shown. Their heights tell hours apart: they start at nothing only where there is
 * next to nothing; the words beside them say the numbers.
 */
export function barsOf(shown: TimeSpan, hours: readonly FreeHour[] | undefined): Bar[] {
  const known = new Map(hours?.map((hour) => [Date.parse(hour.starts_at), hour]))
  const bars: Bar[] = []
  for (let at = shown.from.getTime(); at < shown.to.getTime(); at += HOUR) {
    const hour = known.get(at)
    bars.push({
      startsAt: new Date(at),
      endsAt: new Date(at + HOUR),
      free: hour?.free,
      capacity: hour?.capacity ?? 0,
      height: 0,
      isScarce: hour !== undefined && hour.capacity > 0 && hour.free <= hour.capacity / 10,
    })
  }
  const counts = bars.flatMap((bar) => bar.free ?? [])
  const most = Math.max(...counts)
  const capacity = Math.max(...bars.map((bar) => bar.capacity))
  const range = Math.max(most - Math.min(...counts), capacity / 20)
  const base = Math.max(0, most - 1.2 * range)
  for (const bar of bars) {
    if (!bar.free) continue
    const share = most > base ? (bar.free - base) / (most - base) : 1
    bar.height = Math.round(FEWEST_PERCENT + (100 - FEWEST_PERCENT) * share)
  }
  return bars
}

export interface Tick {
  at: Date
  /** How far along the chart, from 0 to 1. */
  share: number
  /** One that narrow charts leave out. */
  isMinor: boolean
}

/** The hours that stand under the bars: each third, or each sixth of many. */
export function ticksOf(bars: readonly Bar[], zone: string): Tick[] {
  const step = bars.length > 30 ? 6 : 3
  return bars.flatMap((bar, index) => {
    const hour = Number(toWall(bar.startsAt, zone).slice(11, 13))
    const tick = { at: bar.startsAt, share: index / bars.length, isMinor: hour % (2 * step) !== 0 }
    return hour % step === 0 ? [tick] : []
  })
}
