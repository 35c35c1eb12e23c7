import { expect, it } from 'vitest'
import { agoOf } from './ago'

const at = '2026-11-26T10:00:00Z'

it.each([
  ['2026-11-26T09:59:00Z', { unit: 'now', count: 0 }],
  ['2026-11-26T10:00:59Z', { unit: 'now', count: 0 }],
  ['2026-11-26T10:01:00Z', { unit: 'minutes', count: 1 }],
  ['2026-11-26T10:59:59Z', { unit: 'minutes', count: 59 }],
  ['2026-11-26T11:00:00Z', { unit: 'hours', count: 1 }],
  ['2026-11-26T21:59:59Z', { unit: 'hours', count: 11 }],
  ['2026-11-26T22:00:00Z', undefined],
])('at %s something of ten is told as %o', (now, ago) => {
  expect(agoOf(at, new Date(now))).toEqual(ago)
})
