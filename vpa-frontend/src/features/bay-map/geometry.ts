import type { SpotState } from '@/api/lots'
import { LENGTH_M, WIDTH_M } from './sizes'

const AISLE_M = 6

/** Drawing units to a metre. Bays are drawn a little short, so that a level fits a screen. */
const ACROSS = 20
const ALONG = 15.5

const MARGIN = 14
/** Room at the left edge for the sign of the entrance. */
const GATE = 46

export interface PlacedBay extends SpotState {
  /** The middle, and how far it reaches, in drawing units. */
  cx: number
  cy: number
  width: number
  height: number
  /** Where the open side points, towards its aisle. */
  opens: 'down' | 'up' | 'aside'
}

export interface Lane {
  x1: number
  x2: number
  y: number
}

export interface Plan {
  width: number
  height: number
  bays: PlacedBay[]
  /** The painted lines: the back and the sides of each bay. */
  paint: string
  /** Aisles, from the entrance's on. */
  lanes: Lane[]
  /** Bays side by side, from left to right; rows from top to bottom. */
  rows: PlacedBay[][]
}

/** Draws up one level from what the API tells of its bays, in metres. */
export function drawUp(bays: readonly SpotState[]): Plan {
  const lefts = bays.map((bay) => bay.x - WIDTH_M[bay.kind] / 2)
  const left = Math.min(0, ...lefts)
  const top = Math.min(0, ...bays.map((bay) => bay.y - LENGTH_M / 2))
  const toX = (metres: number) => round(MARGIN + GATE + (metres - left) * ACROSS)
  const toY = (metres: number) => round(MARGIN + (metres - top) * ALONG)

  let paint = ''
  let right = 0
  let bottom = 0
  const placed: PlacedBay[] = []
  const lanes = new Map<number, { from: number; to: number }>()

  for (const bay of bays) {
    const half = WIDTH_M[bay.kind] / 2
    const turn = (((bay.rotation % 360) + 360) % 360) * (Math.PI / 180)
    const cos = Math.cos(turn)
    const sin = Math.sin(turn)
    const at = (x: number, y: number): [number, number] => [
      bay.x + x * cos - y * sin,
      bay.y + x * sin + y * cos,
    ]
    // With its nose up, a car stands with its back to the aisle below.
    const corners = [
      at(-half, LENGTH_M / 2),
      at(-half, -LENGTH_M / 2),
      at(half, -LENGTH_M / 2),
      at(half, LENGTH_M / 2),
    ]
    paint += `M${corners.map(([x, y]) => `${toX(x)} ${toY(y)}`).join('L')}`
    const xs = corners.map(([x]) => x)
    const ys = corners.map(([, y]) => y)
    right = Math.max(right, ...xs)
    bottom = Math.max(bottom, ...ys)
    const opens = Math.abs(sin) > 0.5 ? 'aside' : cos > 0 ? 'down' : 'up'
    if (opens !== 'aside') {
      const reach = (LENGTH_M + AISLE_M) / 2
      const y = Math.round(bay.y + (opens === 'down' ? reach : -reach))
      const lane = lanes.get(y)
      lanes.set(y, {
        from: Math.min(lane?.from ?? Infinity, ...xs),
        to: Math.max(lane?.to ?? -Infinity, ...xs),
      })
      bottom = Math.max(bottom, y + AISLE_M / 2)
    }
    placed.push({
      ...bay,
      cx: toX(bay.x),
      cy: toY(bay.y),
      width: round((Math.max(...xs) - Math.min(...xs)) * ACROSS),
      height: round((Math.max(...ys) - Math.min(...ys)) * ALONG),
      opens,
    })
  }

  return {
    width: toX(right) + MARGIN,
    height: toY(bottom) + MARGIN,
    bays: placed,
    paint,
    lanes: [...lanes]
      .sort(([one], [other]) => one - other)
      .map(([y, lane]) => ({ x1: toX(lane.from), x2: toX(lane.to), y: toY(y) })),
    rows: toRows(placed),
  }
}

/** Bays whose middles lie side by side. */
function toRows(bays: readonly PlacedBay[]): PlacedBay[][] {
  const rows: PlacedBay[][] = []
  for (const bay of [...bays].sort((one, other) => one.cy - other.cy)) {
    const row = rows.at(-1)
    const first = row?.[0]
    if (row && first && bay.cy - first.cy < (LENGTH_M * ALONG) / 2) row.push(bay)
    else rows.push([bay])
  }
  for (const row of rows) row.sort((one, other) => one.cx - other.cx)
  return rows
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'first' | 'last'

/**
 * The bay that a key leads to from another one: the next in its row, the row's first or last, or the one
 * straight above or below, in the nearest row that has any. Where there is none, it stays.
 */
export function stepFrom(
  rows: readonly (readonly PlacedBay[])[],
  from: PlacedBay,
  step: Step,
  isStop: (bay: PlacedBay) => boolean,
): PlacedBay {
  const at = rows.findIndex((row) => row.some((bay) => bay.id === from.id))
  if (at < 0) return from
  if (step === 'up' || step === 'down') {
    const beyond = step === 'up' ? rows.slice(0, at).reverse() : rows.slice(at + 1)
    const row = beyond.map((each) => each.filter(isStop)).find((each) => each.length > 0)
    return row ? nearestTo(from, row) : from
  }
  const row = rows[at]?.filter((bay) => isStop(bay) || bay.id === from.id) ?? []
  const place = row.findIndex((bay) => bay.id === from.id)
  const to = { left: place - 1, right: place + 1, first: 0, last: row.length - 1 }[step]
  return row[to] ?? from
}

function nearestTo(from: PlacedBay, row: readonly PlacedBay[]): PlacedBay {
  return row.reduce((best, bay) =>
    Math.abs(bay.cx - from.cx) < Math.abs(best.cx - from.cx) ? bay : best,
  )
}

/** The bay at a point of the drawing. */
export function bayAt(plan: Plan, x: number, y: number): PlacedBay | undefined {
  return plan.bays.find(
    (bay) => Math.abs(bay.cx - x) <= bay.width / 2 && Math.abs(bay.cy - y) <= bay.height / 2,
  )
}

function round(units: number): number {
  return Math.round(units * 10) / 10
}
