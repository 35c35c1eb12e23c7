import { describe, expect, it } from 'vitest'
import { anEditedLot } from '@/test/admin-lots'
import { checklistOf, isBookable } from './checklist'

const missing = (change: Parameters<typeof anEditedLot>[0]) =>
  checklistOf(anEditedLot(change)).flatMap(({ step, isDone }) => (isDone ? [] : [step]))

describe('checklistOf', () => {
  it('names what a lot lacks, in the order in which it is made', () => {
    expect(missing({ status: 'draft', capacity: 0, tariff: null })).toEqual([
      'bays',
      'tariff',
      'open',
    ])
    expect(missing({ tariff: null })).toEqual(['tariff'])
    expect(missing({ status: 'closed' })).toEqual(['open'])
    expect(missing({})).toEqual([])
  })

  it('calls a lot bookable when nothing is missing', () => {
    expect(isBookable(anEditedLot())).toBe(true)
    expect(isBookable(anEditedLot({ capacity: 0 }))).toBe(false)
  })
})
