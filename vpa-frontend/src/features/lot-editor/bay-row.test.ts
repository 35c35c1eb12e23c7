import { describe, expect, it } from 'vitest'
import { mistakeOf, nextRow, previewRow } from './bay-row'

describe('previewRow', () => {
  it.each([
    [
      { prefix: 'A', from: '1', to: '12' },
      { first: 'A01', last: 'A12', count: 12 },
    ],
    [
      { prefix: 'A', from: '1', to: '150' },
      { first: 'A001', last: 'A150', count: 150 },
    ],
    [
      { prefix: '', from: '7', to: '7' },
      { first: '07', last: '07', count: 1 },
    ],
    [
      { prefix: 'P-', from: '0098', to: ' 101 ' },
      { first: 'P-098', last: 'P-101', count: 4 },
    ],
    [
      { prefix: 'A', from: '0', to: '1999' },
      { first: 'A0000', last: 'A1999', count: 2000 },
    ],
  ])('shows what the API will make of %o', (row, shown) => {
    expect(previewRow(row)).toEqual(shown)
  })

  it.each([
    [
      { prefix: 'A', from: '', to: '12' },
      { at: 'from', is: 'fromWrong' },
    ],
    [
      { prefix: 'A', from: '-1', to: '12' },
      { at: 'from', is: 'fromWrong' },
    ],
    [
      { prefix: 'A', from: '1', to: 'x' },
      { at: 'to', is: 'toWrong' },
    ],
    [
      { prefix: 'A', from: '1', to: '100000' },
      { at: 'to', is: 'toWrong' },
    ],
    [
      { prefix: 'A', from: '12', to: '1' },
      { at: 'to', is: 'toBefore' },
    ],
    [
      { prefix: 'A', from: '1', to: '2001' },
      { at: 'to', is: 'tooMany' },
    ],
  ])('shows nothing of %o, and says at which number', (row, mistake) => {
    expect(previewRow(row)).toBeUndefined()
    expect(mistakeOf(row)).toEqual(mistake)
  })
})

describe('nextRow', () => {
  it('goes on where the row ended, and is as large', () => {
    expect(nextRow({ prefix: 'A', from: '1', to: '12' })).toEqual({ from: '13', to: '24' })
  })
})
