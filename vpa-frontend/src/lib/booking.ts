import type { Reservation } from '@/api/reservations'
import { DAY, MINUTE, fromWall, toIso, toWall } from './time'
import type { TimeSpan } from './time-span'

/** Where a booking stands for its driver. The API's status does not say whether its time has come. */
export type BookingState =
  | 'unpaid'
  | 'booked'
  | 'under-way'
  | 'parked'
  | 'over-time'
  | 'ended'
  | 'completed'
  | 'owing'
  | 'cancelled'
  | 'released'
  | 'expired'
  | 'unused'

type Standing = Pick<
  Reservation,
  'status' | 'starts_at' | 'ends_at' | 'hold_expires_at' | 'paid_minor' | 'debt_minor'
>

export function bookingState(booking: Standing, now: Date): BookingState {
  const isPast = (moment: string | null) => moment !== null && new Date(moment) <= now
  switch (booking.status) {
    case 'held':
      return isPast(booking.hold_expires_at) ? 'expired' : 'unpaid'
    case 'confirmed':
      if (isPast(booking.ends_at)) return 'ended'
      return isPast(booking.starts_at) ? 'under-way' : 'booked'
    case 'checked_in':
      return isPast(booking.ends_at) ? 'over-time' : 'parked'
    case 'overstayed':
      return 'over-time'
    case 'completed':
      return booking.debt_minor > 0 ? 'owing' : 'completed'
    case 'cancelled':
      return booking.paid_minor > 0 ? 'cancelled' : 'released'
    case 'expired':
      return 'expired'
    case 'no_show':
      return 'unused'
  }
}

/** Its time is now: it is shown apart from those that come later. */
export const isNow = (state: BookingState) =>
  state === 'under-way' || state === 'parked' || state === 'over-time'

/** Nothing can come of it any more, except another one like it. */
export const isOver = (state: BookingState) =>
  state !== 'unpaid' && state !== 'booked' && !isNow(state)

export function bookingTone(state: BookingState): 'plain' | 'ok' | 'warn' | 'bad' {
  switch (state) {
    case 'unpaid':
      return 'warn'
    case 'booked':
    case 'under-way':
    case 'parked':
      return 'ok'
    case 'over-time':
    case 'owing':
      return 'bad'
    default:
      return 'plain'
  }
}

const QUARTER = 15 * MINUTE

/**
 * When to park again: as long as before, at the same time of day in the lot's zone, today if that is
 * still ahead, else tomorrow.
 */
export function nextSpan(
  booking: Pick<Reservation, 'starts_at' | 'ends_at'> & { lot: { timezone: string } },
  now: Date,
): TimeSpan {
  const start = new Date(booking.starts_at)
  const length = new Date(booking.ends_at).getTime() - start.getTime()
  const zone = booking.lot.timezone
  const time = toWall(start, zone).slice(11)
  const today = Date.parse(`${toWall(now, zone).slice(0, 10)}T00:00Z`)
  const onDay = (offset: number) => {
    const day = new Date(today + offset * DAY).toISOString().slice(0, 10)
    // Every time of every zone can be read: the fallback is for the types alone.
    const from = (fromWall(`${day}T${time}`, zone) ?? now).getTime()
    return Math.floor(from / QUARTER) * QUARTER
  }
  const from = onDay(0) >= now.getTime() ? onDay(0) : onDay(1)
  return { from: new Date(from), to: new Date(from + Math.ceil(length / QUARTER) * QUARTER) }
}

/** The page of the lot where an unpaid booking is paid. */
export function placeToPay(booking: Reservation) {
  return {
    name: 'lot',
    params: { id: booking.lot.id },
    query: {
      from: toIso(new Date(booking.starts_at)),
      to: toIso(new Date(booking.ends_at)),
      vehicle: String(booking.vehicle.id),
      hold: String(booking.id),
    },
  }
}

/** The page of the lot, set to book the same once more. */
export function placeToBookAgain(booking: Reservation, now: Date) {
  const span = nextSpan(booking, now)
  return {
    name: 'lot',
    params: { id: booking.lot.id },
    query: {
      from: toIso(span.from),
      to: toIso(span.to),
      vehicle: String(booking.vehicle.id),
    },
  }
}

/** The way to a lot, on a map of everybody's. */
export const directionsTo = ({ lat, lng }: { lat: number; lng: number }): string =>
  `https://www.openstreetmap.org/directions?to=${lat}%2C${lng}`

/** The address with the city, which many an address names already. */
export function fullAddress({ address, city }: { address: string; city: string }): string {
  const isNamed = address.toLocaleLowerCase().includes(city.toLocaleLowerCase())
  return isNamed ? address : [address, city].filter(Boolean).join(', ')
}
