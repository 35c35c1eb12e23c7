import { describe, expect, it } from 'vitest'
import { anEditedLot } from '@/test/admin-lots'
import { changesOf, emptyFacts, factsOf, mergeFacts, newLotOf } from './facts'

const base = factsOf(anEditedLot())

describe('newLotOf', () => {
  it('leaves the time zone to the point when none is typed', () => {
    const values = { ...emptyFacts(), name: ' Altmarkt ', lat: '51.05', lng: '13.74' }
    expect(newLotOf(values)).toMatchObject({
      name: 'Altmarkt',
      lat: 51.05,
      lng: 13.74,
      height_limit_cm: null,
      opening_hours: '24/7',
    })
    expect(newLotOf(values)).not.toHaveProperty('timezone')
    expect(newLotOf({ ...values, timezone: 'Europe/Berlin' }).timezone).toBe('Europe/Berlin')
  })
})

describe('changesOf', () => {
  it('sends only what differs', () => {
    expect(changesOf(base, { ...base })).toEqual({})
    expect(changesOf(base, { ...base, name: 'Neumarkt', height_limit_cm: '' })).toEqual({
      name: 'Neumarkt',
      height_limit_cm: null,
    })
  })

  it('does not mind the order of amenities, nor spaces around a text', () => {
    const two = { ...base, amenities: ['covered', 'video'] }
    expect(changesOf(two, { ...two, amenities: ['video', 'covered'], city: ' Dresden ' })).toEqual(
      {},
    )
    expect(changesOf(two, { ...two, amenities: [] })).toEqual({ amenities: [] })
  })
})

describe('mergeFacts', () => {
  it('keeps what was typed, takes theirs elsewhere, and names where both changed something', () => {
    const mine = { ...base, name: 'Mine', address: 'My street' }
    const theirs = { ...base, name: 'Theirs', height_limit_cm: '190', amenities: ['video'] }
    expect(mergeFacts(base, theirs, mine)).toEqual({
      values: { ...mine, height_limit_cm: '190', amenities: ['video'] },
      changedByThem: ['name', 'height_limit_cm', 'amenities'],
      clashes: ['name'],
    })
  })

  it('sees no clash where both wrote the same', () => {
    const both = { ...base, name: 'Neumarkt' }
    expect(mergeFacts(base, both, both).clashes).toEqual([])
  })
})
