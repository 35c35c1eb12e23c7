import { describe, expect, it } from 'vitest'
import type { Export } from '@/api/exports'
import { againOf, exportOf, formatSize, kindOf, spanOf } from './exports'

const job: Export = {
  id: 5,
  kind: 'export-payments',
  params: {
    format: 'csv',
    from: '2026-10-31T23:00:00+00:00',
    to: null,
    filters: { status: 'refunded' },
  },
  status: 'done',
  progress: 100,
  error: null,
  created_at: '2026-11-26T09:00:00Z',
  finished_at: '2026-11-26T09:01:00Z',
  expires_at: '2026-12-03T09:00:00Z',
  size: 2048,
  result_url: '/api/v1/jobs/5/result',
}

describe('an export of a list', () => {
  it('takes its days and its filters, and all of its pages', () => {
    const list = { limit: 50, cursor: 'abc', from: '2026-11-01T00:00:00Z', status: 'open' } as const
    expect(exportOf('lots', 'xlsx', list)).toEqual({
      kind: 'lots',
      format: 'xlsx',
      from: '2026-11-01T00:00:00Z',
      filters: { status: 'open' },
    })
  })

  it('says nothing of filters where there are none', () => {
    expect(exportOf('users', 'csv', { limit: 50 })).toEqual({ kind: 'users', format: 'csv' })
  })
})

describe('an export that was asked for', () => {
  it('is known by its kind and its days', () => {
    expect(kindOf(job)).toBe('payments')
    expect(kindOf({ ...job, kind: 'export' })).toBeUndefined()
    expect(spanOf(job)).toEqual({ from: '2026-10-31T23:00:00+00:00', to: undefined })
  })

  it('is asked for again as it was', () => {
    expect(againOf(job)).toEqual({
      kind: 'payments',
      format: 'csv',
      from: '2026-10-31T23:00:00+00:00',
      filters: { status: 'refunded' },
    })
    expect(againOf({ ...job, params: {} })).toBeUndefined()
  })
})

it.each([
  [0, '0 bytes'],
  [900, '900 bytes'],
  [2048, '2 kB'],
  [1_500_000, '1.4 MB'],
  [3 * 1024 ** 4, '3,072 GB'],
])('writes %i bytes as %s', (bytes, written) => {
  expect(formatSize(bytes, 'en-IE')).toBe(written)
})
