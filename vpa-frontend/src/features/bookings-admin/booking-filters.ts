import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Reservation, ReservationQuery } from '@/api/reservations'
import { momentsOf, readAddress, writeAddress } from '@/lib/list-address'
import { normalisePlate } from '@/lib/plate'

export const STATUSES = [
  'held',
  'confirmed',
  'checked_in',
  'overstayed',
  'completed',
  'cancelled',
  'expired',
  'no_show',
] as const satisfies readonly Reservation['status'][]
export const PAGE_SIZE = 50

/** Which bookings the list shows, as the address keeps it. */
export interface BookingFilters {
  /** A code or a plate. */
  q: string
  status: Reservation['status'] | ''
  lot: number | undefined
  driver: number | undefined
  /** Days such as 2026-11-26, both of them included. */
  from: string
  to: string
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export const NO_FILTERS: BookingFilters = {
  q: '',
  status: '',
  lot: undefined,
  driver: undefined,
  from: '',
  to: '',
  after: '',
  page: 1,
}

export function readFilters(query: LocationQuery): BookingFilters {
  const { text, id, day, oneOf, place } = readAddress(query)
  return {
    q: text('q'),
    status: oneOf('status', STATUSES, ''),
    lot: id('lot'),
    driver: id('driver'),
    from: day('from'),
    to: day('to'),
    ...place(),
  }
}

export const writeFilters = (filters: BookingFilters): LocationQueryRaw => writeAddress(filters)

/** Codes begin so; anything else is a plate. */
const CODE = /^vv-?/i

/** The same as the API asks for it; its days are those of the zone. */
export function bookingQueryOf(filters: BookingFilters, zone: string): ReservationQuery {
  const { q, status, lot, driver, after } = filters
  return {
    limit: PAGE_SIZE,
    ...(q && (CODE.test(q) ? { code: codeOf(q) } : { plate: normalisePlate(q) })),
    ...(status && { status }),
    ...(lot && { lot_id: lot }),
    ...(driver && { user_id: driver }),
    ...momentsOf(filters, zone),
    ...(after && { cursor: after }),
  }
}

/** A code as it is written on tickets, however it was typed: VV-8F3K-29QX. */
function codeOf(typed: string): string {
  const signs = typed.toUpperCase().replace(/[^0-9A-Z]/g, '')
  return [signs.slice(0, 2), signs.slice(2, 6), signs.slice(6)].filter(Boolean).join('-')
}
