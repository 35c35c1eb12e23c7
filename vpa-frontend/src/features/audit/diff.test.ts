import { describe, expect, it } from 'vitest'
import { diffOf, lineOf } from './diff'

describe('diffOf', () => {
  it('puts before and after of each field side by side', () => {
    expect(diffOf({ roles: ['driver'], active: true }, { roles: ['admin'], active: true })).toEqual(
      [{ field: 'roles', before: ['driver'], after: ['admin'] }],
    )
  })

  it('knows what was made and what was taken away', () => {
    expect(diffOf(null, { name: 'Altmarkt' })).toEqual([
      { field: 'name', before: undefined, after: 'Altmarkt' },
    ])
    expect(diffOf({ name: 'Altmarkt' }, null)).toEqual([
      { field: 'name', before: 'Altmarkt', after: undefined },
    ])
    expect(diffOf(null, null)).toEqual([])
  })
})

describe('lineOf', () => {
  it.each([
    [null, ''],
    [undefined, ''],
    [0, '0'],
    [false, 'false'],
    [['driver', 'admin'], 'driver, admin'],
    [
      [
        { minutes: 60, amount_minor: 250 },
        { minutes: 30, amount_minor: 100 },
      ],
      'minutes 60, amount minor 250; minutes 30, amount minor 100',
    ],
  ])('says %j as %j', (value, line) => {
    expect(lineOf(value)).toBe(line)
  })
})
