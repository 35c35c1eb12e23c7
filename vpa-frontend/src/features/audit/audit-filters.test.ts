import { describe, expect, it } from 'vitest'
import { auditQueryOf, NO_FILTERS, readFilters, writeFilters } from './audit-filters'

describe('the filters of the audit log', () => {
  it('come from the address, without what is none', () => {
    expect(
      readFilters({ actor: '7', subject: 'lot', number: 'x', from: '2026-11-01', to: 'soon' }),
    ).toEqual({ ...NO_FILTERS, actor: 7, subject: 'lot', from: '2026-11-01' })
  })

  it('go back into it as they came', () => {
    const query = { actor: '7', action: 'user.disabled', to: '2026-11-26', after: 'c', page: '3' }
    expect(writeFilters(readFilters(query))).toEqual(query)
    expect(writeFilters(NO_FILTERS)).toEqual({})
  })

  it('ask for whole days of the zone, also when a clock is changed on one', () => {
    const filters = { ...NO_FILTERS, from: '2026-10-25', to: '2026-10-25' }
    expect(auditQueryOf(filters, 'Europe/Berlin')).toMatchObject({
      from: '2026-10-24T22:00:00Z',
      to: '2026-10-25T23:00:00Z',
    })
  })

  it('name things as the API does', () => {
    expect(
      auditQueryOf({ ...NO_FILTERS, actor: 7, subject: 'lot', number: 12, after: 'c' }, 'UTC'),
    ).toEqual({ limit: 50, actor_id: 7, subject: 'lot', subject_id: 12, cursor: 'c' })
  })
})
