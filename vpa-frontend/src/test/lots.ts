import type { FoundLot } from '@/api/lots'

/** A lot with room for a car, as a search finds it, unless told otherwise. */
export function aFoundLot(change: Partial<FoundLot> = {}): FoundLot {
  return {
    id: 12,
    name: 'Altmarkt',
    address: 'Altmarkt 1',
    city: 'Dresden',
    lat: 51.05,
    lng: 13.74,
    timezone: 'Europe/Berlin',
    status: 'open',
    capacity: 180,
    available: 42,
    available_by_kind: { standard: 42 },
    price_minor: 400,
    currency: 'EUR',
    height_limit_cm: null,
    always_open: false,
    amenities: [],
    distance_m: null,
    walking_minutes: null,
    rating: null,
    review_count: 0,
    refund_badge: null,
    bookable: true,
    not_bookable_reason: null,
    next_window: null,
    ...change,
  }
}
