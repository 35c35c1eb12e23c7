import type { SpotClosure } from '@/api/admin-lots'
import type { SpotKind, SpotState } from '@/api/lots'

export const KINDS = [
  'standard',
  'compact',
  'large',
  'accessible',
  'electric',
  'motorcycle',
] as const satisfies readonly SpotKind[]

/** A closing without an end has one that nobody lives to see. */
const FOREVER_YEAR = '9999'
export const isForGood = ({ ends_at }: { ends_at: string }): boolean =>
  ends_at.startsWith(FOREVER_YEAR)

export type Bay = Pick<SpotState, 'id' | 'label' | 'level' | 'kind'> & {
  /** The times out of service, now or later, the first one first. */
  closures: SpotClosure[]
}

export function withClosures(bays: readonly SpotState[], closures: readonly SpotClosure[]): Bay[] {
  const bySpot = new Map<number, SpotClosure[]>()
  for (const closure of closures) {
    bySpot.set(closure.spot_id, [...(bySpot.get(closure.spot_id) ?? []), closure])
  }
  return bays.map(({ id, label, level, kind }) => ({
    id,
    label,
    level,
    kind,
    closures: bySpot.get(id) ?? [],
  }))
}

export const isOut = (bay: Bay, now: Date): boolean =>
  bay.closures.some(({ starts_at }) => Date.parse(starts_at) <= now.getTime())

/** How many bays of each kind a level has; levels from the lowest to the highest. */
export function countByLevel(bays: readonly Pick<Bay, 'level' | 'kind'>[]) {
  const levels = new Map<string, Map<SpotKind, number>>()
  for (const { level, kind } of bays) {
    const counts = levels.get(level) ?? new Map<SpotKind, number>()
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    levels.set(level, counts)
  }
  return [...levels]
    .map(([level, counts]) => ({
      level,
      counts,
      total: [...counts.values()].reduce((sum, count) => sum + count, 0),
    }))
    .sort(
      (one, other) =>
        heightOf(one.level) - heightOf(other.level) || compare(one.level, other.level),
    )
}

/** B2 lies below B1, which lies below 0 and 1; a name without a number lies at the street. */
function heightOf(level: string): number {
  const number = Number(/\d+/.exec(level)?.[0] ?? 0)
  return /^b\d/i.test(level) ? -number : number
}

const compare = new Intl.Collator('en', { numeric: true }).compare
