import { expect, it } from 'vitest'
import { bayWishOf, standingOf } from './offers'

const offer = (available: number, capacity = 100, bookable = true) => ({
  available,
  capacity,
  bookable,
})

it('a lot goes fast when a tenth or less of it is free', () => {
  expect(standingOf(offer(11), 'car')).toBe('plenty')
  expect(standingOf(offer(10), 'car')).toBe('few')
  expect(standingOf(offer(0), 'car')).toBe('none')
  expect(standingOf(offer(50, 100, false), 'car')).toBe('none')
})

it('of a kind with few bays, only the last one goes fast', () => {
  expect(standingOf(offer(2), 'motorcycle')).toBe('plenty')
  expect(standingOf(offer(1), 'charging')).toBe('few')
})

it('only cars look for charging bays', () => {
  expect(bayWishOf({ vehicle_kind: 'car' }, true)).toBe('charging')
  expect(bayWishOf({ vehicle_kind: 'van' }, true)).toBe('van')
  expect(bayWishOf({ vehicle_kind: 'car' }, false)).toBe('car')
})
