import type { Tariff } from '@/api/admin-lots'
import type { Lot } from '@/api/lots'

/** A lot with everything that drivers need to book it, unless told otherwise. */
export function anEditedLot(change: Partial<Lot> = {}): Lot {
  return {
    id: 12,
    name: 'Altmarkt',
    address: 'Altmarkt 1',
    city: 'Dresden',
    lat: 51.05,
    lng: 13.74,
    timezone: 'Europe/Berlin',
    status: 'open',
    opening_hours: '24/7',
    opening_hours_by_day: [],
    height_limit_cm: 210,
    amenities: ['covered'],
    refund_policy: 'standard',
    capacity: 12,
    capacity_by_kind: { standard: 12 },
    levels: ['0'],
    tariff: {
      id: 3,
      version: 1,
      name: 'Day tariff',
      currency: 'EUR',
      increments: [{ minutes: 60, amount_minor: 250 }],
      billing_step_minutes: 15,
      free_minutes: 0,
      day_cap_minor: null,
      tax_inclusive: true,
    },
    rating: null,
    review_count: 0,
    ...change,
  }
}

export const aTariff = (change: Partial<Tariff> = {}): Tariff => ({
  id: 3,
  lot_id: 12,
  version: 1,
  name: 'Day tariff',
  status: 'published',
  currency: 'EUR',
  increments: [
    { minutes: 60, amount_minor: 250 },
    { minutes: 30, amount_minor: 100 },
  ],
  billing_step_minutes: 15,
  free_minutes: 10,
  day_cap_minor: 2000,
  day_start_minutes: 0,
  tax_inclusive: true,
  taxes: [{ name: 'VAT', rate_bp: 1900 }],
  created_at: '2026-11-01T09:00:00Z',
  published_at: '2026-11-02T09:00:00Z',
  ...change,
})
