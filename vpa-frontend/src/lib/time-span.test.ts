import { describe, expect, it } from 'vitest'
import { bookableSpan, moveArrival, moveDeparture } from './time-span'

const now = new Date('2026-11-26T14:07:00Z')
const span = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) })
const wished = span('2026-11-26T18:00:00Z', '2026-11-26T21:00:00Z')

describe('bookableSpan', () => {
  it('is two hours from the next quarter where nothing was wished', () => {
    expect(bookableSpan(undefined, now)).toEqual(
      span('2026-11-26T14:15:00Z', '2026-11-26T16:15:00Z'),
    )
    expect(bookableSpan(undefined, new Date('2026-11-26T14:15:00Z')).from).toEqual(
      new Date('2026-11-26T14:15:00Z'),
    )
  })

  it('keeps a wish that can be booked, also one that began a moment ago', () => {
    expect(bookableSpan(wished, now)).toEqual(wished)
    const justBegun = span('2026-11-26T14:03:00Z', '2026-11-26T15:00:00Z')
    expect(bookableSpan(justBegun, now)).toEqual(justBegun)
  })

  it('brings a wish of yesterday to now, as long as it was', () => {
    expect(bookableSpan(span('2026-11-25T08:00:00Z', '2026-11-25T13:00:00Z'), now)).toEqual(
      span('2026-11-26T14:15:00Z', '2026-11-26T19:15:00Z'),
    )
  })

  it('brings a wish in a year to the last day that can be booked', () => {
    expect(bookableSpan(span('2027-11-26T08:00:00Z', '2027-11-26T10:00:00Z'), now)).toEqual(
      span('2027-02-24T14:00:00Z', '2027-02-24T16:00:00Z'),
    )
  })

  it('is at least a quarter of an hour and at most thirty days', () => {
    expect(bookableSpan(span('2026-11-26T18:00:00Z', '2026-11-26T18:05:00Z'), now).to).toEqual(
      new Date('2026-11-26T18:15:00Z'),
    )
    expect(bookableSpan(span('2026-11-26T18:00:00Z', '2027-11-26T18:00:00Z'), now).to).toEqual(
      new Date('2026-12-26T18:00:00Z'),
    )
  })
})

describe('moving an end', () => {
  it('of the arrival keeps the length, and goes no further back than the next quarter', () => {
    expect(moveArrival(wished, new Date('2026-11-26T19:00:00Z'), now)).toEqual(
      span('2026-11-26T19:00:00Z', '2026-11-26T22:00:00Z'),
    )
    expect(moveArrival(wished, new Date('2026-11-26T09:00:00Z'), now)).toEqual(
      span('2026-11-26T14:15:00Z', '2026-11-26T17:15:00Z'),
    )
  })

  it('of the departure keeps the arrival', () => {
    expect(moveDeparture(wished, new Date('2026-11-26T20:00:00Z'))).toEqual(
      span('2026-11-26T18:00:00Z', '2026-11-26T20:00:00Z'),
    )
    expect(moveDeparture(wished, new Date('2026-11-26T12:00:00Z')).to).toEqual(
      new Date('2026-11-26T18:15:00Z'),
    )
  })
})
