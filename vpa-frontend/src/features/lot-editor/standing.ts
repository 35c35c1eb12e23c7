import type { ApiError } from '@/lib/errors'

export interface StandingBooking {
  id: number
  code: string
  spot: string
  starts_at: string
  ends_at: string
}

/** The bookings that a refusal names, and how many more there are. */
export function bookingsOf({ problem }: ApiError): { listed: StandingBooking[]; more: number } {
  const named: unknown = problem['reservations']
  const listed = Array.isArray(named) ? named.filter(isBooking) : []
  const total = typeof problem['total'] === 'number' ? problem['total'] : listed.length
  return { listed, more: Math.max(0, total - listed.length) }
}

function isBooking(value: unknown): value is StandingBooking {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    ['code', 'spot', 'starts_at', 'ends_at'].every(
      (name) => typeof (value as Record<string, unknown>)[name] === 'string',
    )
  )
}
