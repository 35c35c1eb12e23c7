import { describe, expect, it } from 'vitest'
import { momentsOf, readAddress, writeAddress } from './list-address'

describe('readAddress', () => {
  it('takes what is as it should be, and nothing else', () => {
    const good = readAddress({ lot: '12', from: '2026-11-26', status: 'open', q: 'x' })
    expect([good.id('lot'), good.day('from'), good.text('q')]).toEqual([12, '2026-11-26', 'x'])
    expect(good.oneOf('status', ['open', 'closed'], 'all')).toBe('open')
    const bad = readAddress({ lot: '-1', from: 'today', status: ['open'], q: null })
    expect([bad.id('lot'), bad.day('from'), bad.text('q')]).toEqual([undefined, '', ''])
    expect(bad.oneOf('status', ['open', 'closed'], 'all')).toBe('all')
  })

  it('knows a page only by where the one before ended', () => {
    expect(readAddress({ page: '3' }).place()).toEqual({ after: '', page: 1 })
    expect(readAddress({ after: 'c', page: '3' }).place()).toEqual({ after: 'c', page: 3 })
    expect(readAddress({ after: 'c', page: '1.5' }).place()).toEqual({ after: 'c', page: 1 })
  })
})

describe('writeAddress', () => {
  it('leaves out what is as it is by itself', () => {
    const filters = { q: 'x', lot: 12, status: 'all', from: '', none: undefined }
    expect(writeAddress({ ...filters, after: '', page: 1 }, { status: 'all' })).toEqual({
      q: 'x',
      lot: '12',
    })
    expect(writeAddress({ after: 'c', page: 2 })).toEqual({ after: 'c', page: '2' })
  })
})

describe('momentsOf', () => {
  it('goes from midnight to midnight of the zone, over a change of its clocks too', () => {
    expect(momentsOf({ from: '2026-10-25', to: '2026-10-25' }, 'Europe/Berlin')).toEqual({
      from: '2026-10-24T22:00:00Z',
      to: '2026-10-25T23:00:00Z',
    })
    expect(momentsOf({ from: '', to: '' }, 'Europe/Berlin')).toEqual({})
  })
})
