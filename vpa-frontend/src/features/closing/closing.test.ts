import { describe, expect, it } from 'vitest'
import { closedTogether, mistakesOf, wishOf, type ClosingValues } from './closing'

const now = new Date('2026-11-26T12:00:00Z')
const values = (change: Partial<ClosingValues> = {}): ClosingValues => ({
  what: 'some',
  spotIds: [9, 3],
  starts: 'now',
  startsAt: new Date('2026-11-27T08:00:00Z'),
  hasEnd: true,
  endsAt: new Date('2026-11-28T08:00:00Z'),
  reason: ' Resurfacing ',
  ...change,
})

describe('mistakesOf', () => {
  it('asks for bays, a reason, and an end that comes after the start', () => {
    expect(mistakesOf(values(), now)).toEqual([])
    expect(mistakesOf(values({ spotIds: [], reason: ' ' }), now)).toEqual(['bays', 'reason'])
    expect(mistakesOf(values({ what: 'whole', spotIds: [] }), now)).toEqual([])
    expect(mistakesOf(values({ endsAt: now }), now)).toEqual(['end'])
    const early = new Date('2026-11-27T07:00:00Z')
    expect(mistakesOf(values({ starts: 'then', endsAt: early }), now)).toEqual(['end'])
    expect(mistakesOf(values({ hasEnd: false, endsAt: now }), now)).toEqual([])
  })
})

describe('wishOf', () => {
  it('names the bays in order, and no start when it begins now', () => {
    expect(wishOf(values())).toEqual({
      spot_ids: [3, 9],
      ends_at: '2026-11-28T08:00:00Z',
      reason: 'Resurfacing',
    })
    expect(wishOf(values({ what: 'whole', starts: 'then', hasEnd: false }))).toEqual({
      spot_ids: null,
      starts_at: '2026-11-27T08:00:00Z',
      reason: 'Resurfacing',
    })
  })
})

describe('closedTogether', () => {
  it('puts bays together that are closed for the same time and reason', () => {
    const closure = (spot_id: number, starts_at: string, reason = 'Paint') => ({
      spot_id,
      starts_at,
      ends_at: '2026-12-24T00:00:00Z',
      reason,
    })
    const groups = closedTogether([
      closure(1, '2026-12-02T00:00:00Z'),
      closure(2, '2026-12-01T00:00:00Z'),
      closure(3, '2026-12-02T00:00:00Z'),
      closure(4, '2026-12-02T00:00:00Z', 'Lamp'),
    ])
    expect(groups.map(({ spotIds }) => spotIds)).toEqual([[2], [1, 3], [4]])
  })
})
