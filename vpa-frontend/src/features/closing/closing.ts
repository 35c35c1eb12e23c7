import type { AffectedBooking, ClosingReport, ClosingWish } from '@/api/closings'
import type { SpotClosure } from '@/api/admin-lots'
import { toIso } from '@/lib/time'

/** What is typed about a closing. */
export interface ClosingValues {
  what: 'whole' | 'some'
  spotIds: readonly number[]
  starts: 'now' | 'then'
  startsAt: Date
  hasEnd: boolean
  endsAt: Date
  reason: string
}

export type ClosingMistake = 'bays' | 'end' | 'reason'
export const LONGEST_REASON = 200

export function mistakesOf(values: ClosingValues, now: Date): ClosingMistake[] {
  const start = values.starts === 'then' && values.startsAt > now ? values.startsAt : now
  const reason = values.reason.trim()
  return [
    ...(values.what === 'some' && values.spotIds.length === 0 ? (['bays'] as const) : []),
    ...(values.hasEnd && values.endsAt <= start ? (['end'] as const) : []),
    ...(reason === '' || reason.length > LONGEST_REASON ? (['reason'] as const) : []),
  ]
}

/** The same as the API takes it; without a start it begins now, without an end it has none. */
export const wishOf = (values: ClosingValues): ClosingWish => ({
  spot_ids: values.what === 'whole' ? null : [...values.spotIds].sort((a, b) => a - b),
  ...(values.starts === 'then' && { starts_at: toIso(values.startsAt) }),
  ...(values.hasEnd && { ends_at: toIso(values.endsAt) }),
  reason: values.reason.trim(),
})

export const carsInside = ({ affected }: Pick<ClosingReport, 'affected'>): number =>
  affected.filter(({ action }) => action === 'stays').length

/** Drivers who get a mail: whose car is in already is left in peace. */
export const isTold = ({ action }: Pick<AffectedBooking, 'action'>): boolean => action !== 'stays'

/** Bays that are closed for the same time and reason. */
export interface ClosedTogether {
  key: string
  reason: string
  starts_at: string
  ends_at: string
  spotIds: number[]
}

/** What was closed in one go, the first one first. */
export function closedTogether(closures: readonly SpotClosure[]): ClosedTogether[] {
  const groups = new Map<string, ClosedTogether>()
  for (const { reason, starts_at, ends_at, spot_id } of closures) {
    const key = `${starts_at} ${ends_at} ${reason}`
    const group = groups.get(key) ?? { key, reason, starts_at, ends_at, spotIds: [] }
    group.spotIds.push(spot_id)
    groups.set(key, group)
  }
  return [...groups.values()].sort(
    (one, other) => Date.parse(one.starts_at) - Date.parse(other.starts_at),
  )
}
