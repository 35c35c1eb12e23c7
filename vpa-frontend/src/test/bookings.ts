import type { Payment } from '@/api/payments'
import type { Reservation } from '@/api/reservations'
import type { StayEvent } from '@/api/stays'

const HOUR = 3_600_000

/** An instant so many hours from now, as the API writes it. */
export const inHours = (hours: number): string =>
  new Date(Date.now() + hours * HOUR).toISOString().replace(/\.\d+Z/, 'Z')

/** A paid booking that starts in two hours, unless told otherwise. */
export function aBooking(change: Partial<Reservation> = {}): Reservation {
  return {
    id: 7,
    code: 'VV-8F3K-29QX',
    status: 'confirmed',
    source: 'app',
    user_id: 1,
    lot: {
      id: 12,
      name: 'Altmarkt',
      address: 'Altmarkt 1',
      city: 'Dresden',
      lat: 51.05,
      lng: 13.74,
      timezone: 'Europe/Berlin',
    },
    spot: { id: 3, label: 'C05', level: 'B1', kind: 'standard', pinned: false },
    vehicle: { id: 4, plate: 'DDAB1234', kind: 'car', label: 'Golf', electric: false },
    starts_at: inHours(2),
    ends_at: inHours(4),
    created_at: inHours(-24),
    confirmed_at: inHours(-23.9),
    price_minor: 400,
    currency: 'EUR',
    paid_minor: 400,
    refunded_minor: 0,
    due_minor: 0,
    hold_expires_at: null,
    quote: {
      id: 9,
      lines: [
        { label: 'first 60 min', quantity: 1, unit_minor: 200, amount_minor: 200, kind: 'parking' },
        { label: '2 × 30 min', quantity: 2, unit_minor: 100, amount_minor: 200, kind: 'parking' },
      ],
      taxes: [{ name: 'VAT', rate_bp: 1900, amount_minor: 64, included: true }],
      tax_minor: 64,
      total_minor: 400,
      currency: 'EUR',
      expires_at: inHours(-23),
    },
    stay: null,
    covered_until: null,
    debt_minor: 0,
    bay_final: false,
    sequence: 0,
    overstay: null,
    refund_policy: {
      name: 'standard',
      steps: [{ until_hours_before: 24, percent: 100 }],
      full_refund_within_minutes: 15,
      full_refund_until_hours_before: 1,
    },
    allowed_actions: [],
    ...change,
  }
}

/** The same before it is paid, with some minutes left for that. */
export function aHold(change: Partial<Reservation> = {}): Reservation {
  return aBooking({
    status: 'held',
    confirmed_at: null,
    paid_minor: 0,
    due_minor: 400,
    hold_expires_at: inHours(0.1),
    allowed_actions: ['pay', 'cancel', 'prolong'],
    ...change,
  })
}

/** A payment that went well, unless told otherwise. */
export function aPayment(change: Partial<Payment> = {}): Payment {
  return {
    id: 21,
    reservation_id: 7,
    code: 'VV-8F3K-29QX',
    purpose: 'booking',
    method: 'sandbox',
    status: 'succeeded',
    amount_minor: 400,
    refunded_minor: 0,
    currency: 'EUR',
    client_secret: null,
    failure: null,
    created_at: inHours(-24),
    settled_at: inHours(-23.9),
    receipt_number: 'R-2026-000021',
    review_reason: null,
    received_minor: null,
    ...change,
  }
}

/** Something that happened to a booking: its booking, unless told otherwise. */
export function anEvent(change: Partial<StayEvent> = {}): StayEvent {
  return { id: null, at: inHours(-24), kind: 'booked', facts: {}, by: 'driver', ...change }
}
