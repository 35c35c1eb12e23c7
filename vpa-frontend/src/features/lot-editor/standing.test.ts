import { describe, expect, it } from 'vitest'
import { ApiError } from '@/lib/errors'
import { bookingsOf } from './standing'

const booking = {
  id: 7,
  code: 'VV-8F3K-29QX',
  spot: 'C05',
  starts_at: '2026-11-27T09:00:00Z',
  ends_at: '2026-11-27T11:00:00Z',
}

describe('bookingsOf', () => {
  it('gives the bookings that are named, and how many are not', () => {
    const error = new ApiError(409, { reservations: [booking], total: 51 })
    expect(bookingsOf(error)).toEqual({ listed: [booking], more: 50 })
  })

  it('does without a list', () => {
    expect(bookingsOf(new ApiError(409, {}))).toEqual({ listed: [], more: 0 })
    expect(bookingsOf(new ApiError(409, { reservations: [null, { id: 1 }] })).listed).toEqual([])
  })
})
