import { describe, expect, it } from 'vitest'
import { parseQuery, stringifyQuery } from 'vue-router'
import { filterOf, isFiltered, isMeasured, isSameName, readSearch, writeSearch } from './search'

const car = { vehicle_kind: 'car' } as const
const nothing = {
  q: '',
  point: undefined,
  radius: undefined,
  place: undefined,
  amenities: [],
  charging: false,
  rated: false,
  sort: undefined,
}

describe('a search in an address', () => {
  const altmarkt = { lat: '51.05', lng: '13.74', radius: '1000', place: 'Altmarkt' }

  it('is nothing in an empty one', () => {
    expect(readSearch({})).toEqual(nothing)
    expect(isFiltered(readSearch({}))).toBe(false)
  })

  it('holds words, filters and an order', () => {
    expect(
      readSearch({
        q: ' dresden ',
        kind: 'electric',
        amenity: ['covered', 'video'],
        sort: 'price',
      }),
    ).toEqual({
      ...nothing,
      q: 'dresden',
      amenities: ['covered', 'video'],
      charging: true,
      sort: 'price',
    })
    expect(readSearch({ amenity: 'covered' }).amenities).toEqual(['covered'])
  })

  it('holds a point, its name, and how far around it', () => {
    expect(readSearch(altmarkt)).toEqual({
      ...nothing,
      point: { lat: 51.05, lng: 13.74 },
      radius: 1000,
      place: 'Altmarkt',
    })
  })

  it('takes words before a point', () => {
    expect(readSearch({ ...altmarkt, q: 'ulm' })).toEqual({ ...nothing, q: 'ulm' })
  })

  it('loses what makes no sense', () => {
    expect(
      readSearch({
        q: ['a', 'b'],
        lat: '95',
        lng: '13',
        radius: '1000',
        kind: 'balcony',
        amenity: ['helipad', null],
        sort: 'beauty',
      }),
    ).toEqual(nothing)
    expect(readSearch({ ...altmarkt, radius: '99999' }).radius).toBeUndefined()
    expect(readSearch({ ...altmarkt, lng: '' }).point).toBeUndefined()
  })

  it('is read again as it was written', () => {
    const search = readSearch({
      ...altmarkt,
      kind: 'electric',
      amenity: ['covered'],
      sort: 'price',
    })
    const written = writeSearch(search)
    expect(readSearch(parseQuery(stringifyQuery(written)))).toEqual(search)
    expect(Object.values(writeSearch(readSearch({})))).toEqual(Array(9).fill(undefined))
  })
})

describe('what the API is asked', () => {
  it('is the vehicle alone where nothing is looked for', () => {
    expect(filterOf(readSearch({}), { vehicle_kind: 'van', height_cm: 240 })).toEqual({
      vehicle_kind: 'van',
      height_cm: 240,
    })
  })

  it('has each filter in its own words', () => {
    expect(filterOf(readSearch({ q: 'ulm', amenity: ['covered', 'lighting'] }), car)).toEqual({
      q: 'ulm',
      amenity: ['covered', 'lighting'],
      vehicle_kind: 'car',
    })
    expect(filterOf(readSearch({ lat: '51', lng: '13', radius: '500' }), car)).toEqual({
      lat: 51,
      lng: 13,
      radius_m: 500,
      vehicle_kind: 'car',
    })
  })

  it('is of charging bays, in lots that have them, for cars', () => {
    const search = readSearch({ kind: 'electric', amenity: 'covered' })
    expect(filterOf(search, car)).toEqual({
      amenity: ['covered', 'charging'],
      spot_kind: 'electric',
      vehicle_kind: 'car',
    })
    expect(filterOf(search, { vehicle_kind: 'van' })).toEqual({
      amenity: ['covered'],
      vehicle_kind: 'van',
    })
  })
})

describe('distances', () => {
  it('count from a point, and from a lot whose name was typed', () => {
    expect(isMeasured(readSearch({ lat: '51', lng: '13' }), null)).toBe(true)
    expect(isMeasured(readSearch({ q: 'SCHIESSGASSE' }), 'Schießgasse')).toBe(true)
    expect(isMeasured(readSearch({ q: 'galerie altmarkt' }), 'Altmarkt - Galerie')).toBe(true)
  })

  it('do not count from whichever lot of a city comes first', () => {
    expect(isMeasured(readSearch({ q: 'dresden' }), 'Altmarkt')).toBe(false)
    expect(isMeasured(readSearch({}), undefined)).toBe(false)
  })

  it('compare names as people read them', () => {
    expect(isSameName('münchen', 'MUNCHEN')).toBe(true)
    expect(isSameName('Ulm', 'Aalen')).toBe(false)
  })
})
