import type { SpotKind } from '@/api/lots'
import type { PlacedBay } from './geometry'

/** A car from above, nose up, its middle at 0 0. */
export const CAR = {
  body: 'M-13-20c0-6 4-8.5 13-8.5S13-26 13-20v40c0 5-4 8-13 8s-13-3-13-8ZM-15-9.5h2.5v4H-15zM12.5-9.5H15v4h-2.5z',
  glass:
    'M-10.5-11.5c4-3 17-3 21 0l-1.8 7.5c-5-1.6-12.4-1.6-17.4 0ZM-9 15.5c5 1.4 13 1.4 18 0l1.3 5.5c-5 2.2-15.6 2.2-20.6 0Z',
  roof: 'M-8.3-2.5h16.6v16H-8.3Z',
}

/** A motorcycle from above. */
export const MOTORCYCLE =
  'M-2-22a2 3 0 0 1 4 0v6h-4ZM-8-15c4-2 12-2 16 0l-.6 2c-4-1.5-10.8-1.5-14.8 0ZM-3.5-12h7l1 14-2 10h-5l-2-10ZM-2 13h4v7a2 3 0 0 1-4 0Z'

/** Where a lane leads. */
export const ARROW = 'M0-5h26v-5l15 10-15 10V5H0Z'

/** What sets a kind of bay apart, within ±9 of 0 0; strokes but for the bolt. */
export const GLYPHS: Partial<Record<SpotKind, { path: string; isSolid?: boolean }>> = {
  electric: { path: 'M1.5-9.5-6.5 1.5h5l-1 8 8-11h-5Z', isSolid: true },
  accessible: {
    path: 'M0-7.5a1 1 0 1 0 .01 0M0-4.5V1h4.5L7 6M0-2h4M-2.5-1a5 5 0 1 0 6 7',
  },
  motorcycle: {
    path: 'M-6 4a3 3 0 1 0 .01 0M6 4a3 3 0 1 0 .01 0M-6 7l3.5-6H3l3 6M0-3h3L5 1',
  },
  compact: { path: 'M-8-4V4M8-4V4M-6 0h3.5M6 0H2.5M-4.5-2l2 2-2 2M4.5-2l-2 2 2 2' },
  large: { path: 'M-8-4V4M8-4V4M-6 0H6M-4-2l-2 2 2 2M4-2l2 2-2 2' },
}

const COLOURS = 5

/** Which of the few muted colours, and whether it was parked backwards: the same each time. */
export function lookOf(bay: PlacedBay): { colour: number; turn: number } {
  let chance = Math.imul(bay.id ^ (bay.id >>> 7), 0x9e3779b1)
  chance = Math.imul(chance ^ (chance >>> 15), 0x85ebca6b) >>> 0
  const isBackwards = (chance >>> 8) % 3 === 0
  return {
    colour: (chance >>> 16) % COLOURS,
    turn: bay.rotation + (isBackwards ? 180 : 0),
  }
}

/** How large a car stands in it, against one in a standard bay. */
export function scaleOf(kind: SpotKind): number {
  return { compact: 0.96, large: 1.2, motorcycle: 1 }[kind as string] ?? 1.06
}

/** Bays as one outline, for a colour laid into many at once. */
export function outline(bays: readonly PlacedBay[], inset = 1): string {
  return bays
    .map((bay) => {
      const across = bay.width - 2 * inset
      const along = bay.height - 2 * inset
      return `M${bay.cx - across / 2} ${bay.cy - along / 2}h${across}v${along}h${-across}Z`
    })
    .join('')
}

/** The two strokes over bays that are closed. */
export function crosses(bays: readonly PlacedBay[]): string {
  return bays
    .map(({ cx, cy, width, height }) => {
      const x = width / 2 - 8
      const y = height / 2 - 14
      return `M${cx - x} ${cy - y}L${cx + x} ${cy + y}M${cx + x} ${cy - y}L${cx - x} ${cy + y}`
    })
    .join('')
}

/** Where a bay's label stands, towards the aisle, and how large it can be. */
export function labelOf(bay: PlacedBay): {
  x: number
  y: number
  size: number
  isUpright: boolean
} {
  const perSign = 0.62
  const across = (bay.width - 6) / (bay.label.length * perSign)
  const isUpright = across < 11
  const size = isUpright
    ? Math.min(15, (bay.height - 40) / (bay.label.length * perSign))
    : Math.min(16, across)
  const reach = bay.height / 2 - (isUpright ? (bay.label.length * perSign * size) / 2 + 8 : 15)
  const y = bay.opens === 'up' ? bay.cy - reach : bay.opens === 'down' ? bay.cy + reach : bay.cy
  return { x: bay.cx, y, size, isUpright }
}
