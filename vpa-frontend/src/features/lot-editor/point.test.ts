import { describe, expect, it } from 'vitest'
import { isLatitude, isLongitude, readPoint } from './point'

describe('readPoint', () => {
  it.each([
    ['51.05, 13.74', '51.05', '13.74'],
    ['51.05067 13.74179', '51.05067', '13.74179'],
    ['(-33.8688, 151.2093)', '-33.8688', '151.2093'],
    ['51,05; 13,74', '51.05', '13.74'],
    ['geo:51.05,13.74?z=17', '51.05', '13.74'],
    ['https://www.openstreetmap.org/#map=17/51.05067/13.74179', '51.05067', '13.74179'],
    ['51, 13', '51', '13'],
  ])('reads %s', (text, lat, lng) => {
    expect(readPoint(text)).toEqual({ lat, lng })
  })

  it.each(['', '51.05', 'Altmarkt 1', '95.5, 13.7', '51.05, 190.1'])(
    'leaves %s to be pasted as it is',
    (text) => {
      expect(readPoint(text)).toBeUndefined()
    },
  )
})

describe('coordinates', () => {
  it('lie on earth', () => {
    expect([isLatitude('90'), isLatitude('-90.1'), isLatitude('51,05')]).toEqual([
      true,
      false,
      false,
    ])
    expect([isLongitude('-180'), isLongitude('180.5'), isLongitude('')]).toEqual([
      true,
      false,
      false,
    ])
  })
})
