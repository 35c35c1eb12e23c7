import { describe, expect, it } from 'vitest'
import type { ImportReport } from '@/api/admin-lots'
import { countImported, firstLook, mistakeOfFile, rowsOf } from './import-report'

const row = (number: number, outcome: ImportReport['rows'][number]['outcome']) => ({
  row: number,
  external_id: `id-${String(number)}`,
  name: null,
  outcome,
  notes: [],
})
const report: ImportReport = {
  dry_run: true,
  created: 1,
  changed: 2,
  unchanged: 1,
  refused: 1,
  rows: [
    row(2, 'created'),
    row(3, 'refused'),
    row(4, 'changed'),
    row(5, 'changed'),
    row(6, 'unchanged'),
  ],
  notes: [],
}

describe('an import report', () => {
  it('counts what is brought or changed', () => {
    expect(countImported(report)).toBe(3)
  })

  it('is read by outcome, in the order of the file', () => {
    expect(rowsOf(report, 'changed').map((each) => each.row)).toEqual([4, 5])
    expect(rowsOf(report, 'all')).toHaveLength(5)
  })

  it('opens at what is refused, if something is', () => {
    expect(firstLook(report)).toBe('refused')
    expect(firstLook({ ...report, refused: 0 })).toBe('all')
  })
})

describe('mistakeOfFile', () => {
  it.each([
    ['lots.csv', 100, undefined],
    ['Lots.GeoJSON', 100, undefined],
    ['lots.xlsx', 10 * 1024 * 1024, undefined],
    ['lots.xlsx', 10 * 1024 * 1024 + 1, 'tooLarge'],
    ['lots.pdf', 100, 'wrongKind'],
    ['lots.csv', 0, 'empty'],
  ])('judges %s of %d bytes before it is sent', (name, size, mistake) => {
    expect(mistakeOfFile({ name, size })).toBe(mistake)
  })
})
