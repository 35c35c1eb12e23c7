import { HOUR, MINUTE } from '@/lib/time'

export interface Ago {
  unit: 'now' | 'minutes' | 'hours'
  count: number
}

/** After so long the day and the time say more. */
const LONGEST = 12 * HOUR

/** How long ago something was, in words of one unit; nothing when it is too long ago for that. */
export function agoOf(instant: string, now: Date): Ago | undefined {
  // A clock that goes behind makes nothing come from the future.
  const passed = Math.max(0, now.getTime() - new Date(instant).getTime())
  if (passed >= LONGEST) return undefined
  if (passed >= HOUR) return { unit: 'hours', count: Math.floor(passed / HOUR) }
  const minutes = Math.floor(passed / MINUTE)
  return { unit: minutes > 0 ? 'minutes' : 'now', count: minutes }
}
