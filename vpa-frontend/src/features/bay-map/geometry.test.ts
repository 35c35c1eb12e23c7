import { describe, expect, it } from 'vitest'
import type { SpotState } from '@/api/lots'
import { aBay } from '@/test/bays'
import { bayAt, drawUp, stepFrom, type PlacedBay, type Step } from './geometry'

/** Two rows that face each other over an aisle, and one behind them, as the API lays lots out. */
function aLevel(columns = 4): SpotState[] {
  const rows = [
    { letter: 'A', y: 2.5, rotation: 0 },
    { letter: 'B', y: 13.5, rotation: 180 },
    { letter: 'C', y: 18.5, rotation: 0 },
  ]
  return rows.flatMap(({ letter, y, rotation }, row) =>
    Array.from({ length: columns }, (_, column) =>
      aBay({
        id: row * 100 + column + 1,
        label: `${letter}0${column + 1}`,
        x: column * 2.5 + 1.25,
        y,
        rotation,
      }),
    ),
  )
}
const named = (bays: readonly PlacedBay[], label: string) => {
  const found = bays.find((bay) => bay.label === label)
  if (!found) throw new Error(label)
  return found
}

describe('the plan', () => {
  const plan = drawUp(aLevel())

  it('puts bays side by side, each open to its aisle', () => {
    expect(plan.rows.map((row) => row.map((bay) => bay.label))).toEqual([
      ['A01', 'A02', 'A03', 'A04'],
      ['B01', 'B02', 'B03', 'B04'],
      ['C01', 'C02', 'C03', 'C04'],
    ])
    const [a, b] = [named(plan.bays, 'A01'), named(plan.bays, 'B01')]
    expect([a.opens, b.opens]).toEqual(['down', 'up'])
    expect(a.cx).toBe(b.cx)
    const [left, right] = [named(plan.bays, 'A01'), named(plan.bays, 'A02')]
    expect(left.cx + left.width / 2).toBeCloseTo(right.cx - right.width / 2, 1)
  })

  it('draws one lane for two rows that face each other, and one for the row behind them', () => {
    expect(plan.lanes).toHaveLength(2)
    const [first, second] = plan.lanes
    const [a, b, c] = ['A01', 'B01', 'C01'].map((label) => named(plan.bays, label))
    expect(first?.y).toBeCloseTo(((a?.cy ?? 0) + (b?.cy ?? 0)) / 2, 0)
    expect(second?.y).toBeGreaterThan(c?.cy ?? 0)
    // All of it is on the drawing, lanes too.
    expect(second?.y).toBeLessThan(plan.height)
    expect(Math.max(...plan.bays.map((bay) => bay.cx + bay.width / 2))).toBeLessThan(plan.width)
  })

  it('draws bays as wide as their kind', () => {
    const { bays } = drawUp([
      aBay({ id: 1, kind: 'accessible', x: 1.75 }),
      aBay({ id: 2, kind: 'motorcycle', x: 4.125 }),
    ])
    expect((bays[0]?.width ?? 0) / (bays[1]?.width ?? 1)).toBeCloseTo(3.5 / 1.25)
  })

  it('turns a bay that stands across', () => {
    const [across] = drawUp([aBay({ rotation: 90, x: 5, y: 5 })]).bays
    expect(across?.opens).toBe('aside')
    expect(across?.width).toBeGreaterThan(across?.height ?? 0)
  })

  it('keeps bays on the drawing that lie left of or above where plans begin', () => {
    const [bay] = drawUp([aBay({ x: -20, y: -8 })]).bays
    expect((bay?.cx ?? 0) - (bay?.width ?? 0) / 2).toBeGreaterThan(0)
    expect((bay?.cy ?? 0) - (bay?.height ?? 0) / 2).toBeGreaterThan(0)
  })

  it('draws nothing for a level without bays', () => {
    expect(drawUp([])).toMatchObject({ bays: [], rows: [], lanes: [], paint: '' })
  })

  it('finds the bay at a point, and none in a lane', () => {
    const bay = named(plan.bays, 'B03')
    expect(bayAt(plan, bay.cx + 3, bay.cy - 3)?.label).toBe('B03')
    expect(bayAt(plan, bay.cx, plan.lanes[0]?.y ?? 0)).toBeUndefined()
  })
})

describe('arrow keys', () => {
  const level = aLevel().map((bay) =>
    ['A02', 'B01', 'B02', 'B03', 'B04'].includes(bay.label)
      ? { ...bay, state: 'taken' as const }
      : bay,
  )
  const { bays, rows } = drawUp(level)
  const go = (from: string, step: Step) =>
    stepFrom(rows, named(bays, from), step, (bay) => bay.state === 'free').label

  it.each<[string, Step, string]>([
    ['A01', 'right', 'A03'],
    ['A03', 'left', 'A01'],
    ['A04', 'right', 'A04'],
    ['A01', 'left', 'A01'],
    ['A03', 'first', 'A01'],
    ['A01', 'last', 'A04'],
    // A row without a free bay is passed over.
    ['A03', 'down', 'C03'],
    ['C03', 'up', 'A03'],
    // Straight above it is taken: one of those beside it.
    ['C02', 'up', 'A01'],
    ['C01', 'down', 'C01'],
    ['A01', 'up', 'A01'],
    // From a bay that was taken meanwhile one gets away.
    ['A02', 'right', 'A03'],
  ])('lead from %s by %s to %s', (from, step, to) => {
    expect(go(from, step)).toBe(to)
  })
})
