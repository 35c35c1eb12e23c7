import { describe, expect, it } from 'vitest'
import { aVehicle } from '@/test/people'
import { isGuestVehicle, pickVehicle, wishOf, wishOfGuest } from './wish'

describe('the wish for a vehicle', () => {
  it('tells the API its kind, that it charges, and how high it is, where that matters', () => {
    expect(wishOf(aVehicle())).toEqual({ vehicle_kind: 'car' })
    expect(wishOf(aVehicle({ kind: 'van', height_cm: 240 }))).toEqual({
      vehicle_kind: 'van',
      height_cm: 240,
    })
    expect(wishOf(aVehicle({ electric: true }))).toEqual({ vehicle_kind: 'car', electric: true })
  })

  it('of a guest is a kind', () => {
    expect(wishOfGuest('motorcycle')).toEqual({ vehicle_kind: 'motorcycle' })
    expect(wishOfGuest('electric-car')).toEqual({ vehicle_kind: 'car', electric: true })
    expect([isGuestVehicle('van'), isGuestVehicle('4'), isGuestVehicle(undefined)]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('pickVehicle', () => {
  const golf = aVehicle({ id: 4, is_default: false })
  const id3 = aVehicle({ id: 5, electric: true, is_default: true })
  const van = aVehicle({ id: 6, kind: 'van', is_default: false })
  const owned = [golf, id3, van]

  it('takes the one that is asked for by its id', () => {
    expect(pickVehicle(owned, '6', 4)).toBe(van)
  })

  it('takes one of the kind that was looked for before the sign-in', () => {
    expect(pickVehicle(owned, 'van', 4)).toBe(van)
    expect(pickVehicle(owned, 'electric-car', 4)).toBe(id3)
    expect(pickVehicle(owned, 'car', 4)).toBe(golf)
  })

  it('takes the one used last, the default, the first', () => {
    expect(pickVehicle(owned, undefined, 6)).toBe(van)
    expect(pickVehicle(owned, '99', null)).toBe(id3)
    expect(pickVehicle([golf, van], 'motorcycle', null)).toBe(golf)
    expect(pickVehicle([], '4', 4)).toBeUndefined()
  })
})
