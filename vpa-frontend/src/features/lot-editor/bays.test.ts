import { describe, expect, it } from 'vitest'
import { aBay } from '@/test/bays'
import { countByLevel, isForGood, isOut, withClosures } from './bays'

const closure = {
  spot_id: 1,
  reason: 'Broken lamp',
  starts_at: '2026-11-27T09:00:00Z',
  ends_at: '2026-11-27T12:00:00Z',
}

describe('withClosures', () => {
  it('gives each bay its own', () => {
    const bays = withClosures([aBay(), aBay({ id: 2, label: 'A02' })], [closure])
    expect(bays.map(({ closures }) => closures.length)).toEqual([1, 0])
  })
})

describe('isOut', () => {
  it('is so from the start of a closure on', () => {
    const [bay] = withClosures([aBay()], [closure])
    if (!bay) throw new Error('It is not there.')
    expect(isOut(bay, new Date('2026-11-27T08:59:00Z'))).toBe(false)
    expect(isOut(bay, new Date('2026-11-27T09:00:00Z'))).toBe(true)
  })

  it('is for good when the end is in the year 9999', () => {
    expect(isForGood({ ends_at: '9999-12-31T00:00:00Z' })).toBe(true)
    expect(isForGood(closure)).toBe(false)
  })
})

describe('countByLevel', () => {
  it('counts kinds, from the lowest level up', () => {
    const bays = [
      aBay({ level: '10' }),
      aBay({ level: '2' }),
      aBay({ level: '0', kind: 'electric' }),
      aBay({ level: '0' }),
      aBay({ level: 'B1' }),
      aBay({ level: 'B2' }),
    ]
    const levels = countByLevel(bays)
    expect(levels.map(({ level }) => level)).toEqual(['B2', 'B1', '0', '2', '10'])
    expect(levels[2]?.total).toBe(2)
    expect(levels[2]?.counts.get('electric')).toBe(1)
  })
})
