import { describe, expect, it } from 'vitest'
import { lotQueryOf, readFilters, writeFilters } from './lot-filters'

describe('filters of lots', () => {
  it('come back from the address as they went in', () => {
    const filters = { q: 'altmarkt', status: 'draft', after: 'abc', page: 3 } as const
    expect(readFilters(writeFilters(filters) as never)).toEqual(filters)
    expect(writeFilters(readFilters({}))).toEqual({})
  })

  it('do not trust the address', () => {
    expect(readFilters({ status: 'gone', page: '7', q: ['a', 'b'] })).toEqual({
      q: '',
      status: 'all',
      after: '',
      page: 1,
    })
    expect(readFilters({ after: 'abc', page: '-2' }).page).toBe(1)
  })

  it('ask for drafts too, and for archived lots only when these are wanted', () => {
    expect(lotQueryOf(readFilters({})).status).toEqual(['open', 'closed', 'draft'])
    expect(lotQueryOf(readFilters({ status: 'archived', after: 'abc' }))).toMatchObject({
      status: ['archived'],
      cursor: 'abc',
    })
  })
})
