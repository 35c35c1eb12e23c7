import { describe, expect, it } from 'vitest'
import { isPlate, isUnusualPlate, normalisePlate } from './plate'

describe('normalisePlate', () => {
  it.each([
    ['dd-ab 1234', 'DDAB1234'],
    [' ka 05 mj 4321 ', 'KA05MJ4321'],
    ['M·Ü 1', 'MÜ1'],
    ['gö–xy—9', 'GÖXY9'],
    ['ＡＢ１２', 'AB12'],
    ['', ''],
  ])('writes %j as %j', (typed, kept) => {
    expect(normalisePlate(typed)).toBe(kept)
  })
})

describe('isPlate', () => {
  it.each(['DD AB 1234', 'A1', '22 BH 1234 AA', 'MÜ XY 12', 'ABCDEFGH1234'])(
    'takes %j',
    (typed) => {
      expect(isPlate(typed)).toBe(true)
    },
  )

  it.each(['', 'A', 'ABCDEFGHI1234', 'AB/12', 'AB!12', '🚗🚗'])('does not take %j', (typed) => {
    expect(isPlate(typed)).toBe(false)
  })
})

describe('isUnusualPlate', () => {
  it.each(['DDAB1234', 'ka 05 mj 4321', 'KA 03 EV 0907'])('finds nothing in %j', (typed) => {
    expect(isUnusualPlate(typed)).toBe(false)
  })

  it.each(['A1', 'ABCDE', '12345', 'ABCDEFGH1234'])('asks for a second look at %j', (typed) => {
    expect(isUnusualPlate(typed)).toBe(true)
  })

  it('has nothing to say of an empty field', () => {
    expect(isUnusualPlate(' - ')).toBe(false)
  })
})
