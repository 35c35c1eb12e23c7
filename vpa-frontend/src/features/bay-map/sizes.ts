import type { SpotKind } from '@/api/lots'

/** What the API tells of a bay's size is its kind; these are the widths that the plan is laid out with. */
export const WIDTH_M: Record<SpotKind, number> = {
  accessible: 3.5,
  electric: 2.5,
  compact: 2.3,
  standard: 2.5,
  large: 3,
  motorcycle: 1.25,
}
export const LENGTH_M = 5
