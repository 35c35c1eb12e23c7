import { describe, expect, it } from 'vitest'
import { isCardNumber, judgeExpiry, slashExpiry, spaceNumber, tidy, trimCvc } from './card'

describe('the number', () => {
  it.each([
    ['4242', '4242'],
    ['42424', '4242 4'],
    ['4242424242424242', '4242 4242 4242 4242'],
    ['4242-4242 x4242', '4242 4242 4242'],
    ['12345678901234567890123', '1234 5678 9012 3456 789'],
  ])('%s is written %s', (typed, written) => {
    expect(spaceNumber(typed)).toBe(written)
  })

  it.each([
    ['4242 4242 4242 4242', true],
    ['4000 0000 0000 0002', true],
    ['4000 0025 0000 3155', true],
    ['4000 0000 0000 0341', true],
    ['3782 822463 10005', true],
    ['4242 4242 4242 4241', false],
    ['4242 4242 424', false],
    ['', false],
  ])('%s has the right check digit: %s', (number, isRight) => {
    expect(isCardNumber(number)).toBe(isRight)
  })
})

describe('the expiry', () => {
  it.each([
    ['1', '1'],
    ['12', '12'],
    ['123', '12/3'],
    ['1230', '12/30'],
    ['12/30', '12/30'],
    ['12 / 2030', '12/20'],
    ['4', '04'],
    ['4/30', '04/30'],
    ['1/30', '01/30'],
  ])('%s is written %s', (typed, written) => {
    expect(slashExpiry(typed)).toBe(written)
  })

  it.each([
    ['12/30', 'fine'],
    ['11/26', 'fine'],
    ['10/26', 'past'],
    ['12/25', 'past'],
    ['13/30', 'wrong'],
    ['00/30', 'wrong'],
    ['12/3', 'wrong'],
    ['', 'wrong'],
  ])('%s is %s in November 2026', (expiry, judged) => {
    expect(judgeExpiry(expiry, new Date('2026-11-26T14:00:00Z'))).toBe(judged)
  })
})

it('keeps up to four digits of the code', () => {
  expect(trimCvc('1a2 345')).toBe('1234')
})

describe('tidying while typing', () => {
  function type(value: string, caret: number) {
    const input = document.createElement('input')
    input.value = value
    input.setSelectionRange(caret, caret)
    const written = tidy(input, spaceNumber)
    return { written, value: input.value, caret: input.selectionStart }
  }

  it('goes on at the end', () => {
    expect(type('42424', 5)).toEqual({ written: '4242 4', value: '4242 4', caret: 6 })
  })

  it('stays behind the digit that was put in between', () => {
    // A 9 came after the first group: 4242 9|424 2 is tidied.
    expect(type('42429 4242', 5)).toEqual({
      written: '4242 9424 2',
      value: '4242 9424 2',
      caret: 6,
    })
  })

  it('takes away what is no digit', () => {
    expect(type('42x4', 3)).toEqual({ written: '424', value: '424', caret: 2 })
  })

  it('leaves alone what is tidy', () => {
    expect(type('4242 4', 2)).toEqual({ written: '4242 4', value: '4242 4', caret: 2 })
  })
})
