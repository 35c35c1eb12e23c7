import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { PaymentMethod, PaymentQuery, PaymentStatus } from '@/api/admin-payments'
import { momentsOf, readAddress, writeAddress } from '@/lib/list-address'

export const STATUSES = [
  'succeeded',
  'partially_refunded',
  'refunded',
  'review',
  'pending',
  'requires_action',
  'failed',
] as const satisfies readonly PaymentStatus[]
export const METHODS = ['sandbox', 'stripe', 'cash'] as const satisfies readonly PaymentMethod[]
export const PAGE_SIZE = 50

/** Which payments the list shows, as the address keeps it. */
export interface PaymentFilters {
  /** Of a booking. */
  code: string
  status: PaymentStatus | ''
  method: PaymentMethod | ''
  lot: number | undefined
  /** Days such as 2026-11-26, both of them included. */
  from: string
  to: string
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export const NO_FILTERS: PaymentFilters = {
  code: '',
  status: '',
  method: '',
  lot: undefined,
  from: '',
  to: '',
  after: '',
  page: 1,
}

export function readFilters(query: LocationQuery): PaymentFilters {
  const { text, id, day, oneOf, place } = readAddress(query)
  return {
    code: text('code'),
    status: oneOf('status', STATUSES, ''),
    method: oneOf('method', METHODS, ''),
    lot: id('lot'),
    from: day('from'),
    to: day('to'),
    ...place(),
  }
}

export const writeFilters = (filters: PaymentFilters): LocationQueryRaw => writeAddress(filters)

/** The same as the API asks for it; its days are those of the zone. */
export function paymentQueryOf(filters: PaymentFilters, zone: string): PaymentQuery {
  const { code, status, method, lot, after } = filters
  return {
    limit: PAGE_SIZE,
    ...(code && { code: code.trim().toUpperCase() }),
    ...(status && { status }),
    ...(method && { method }),
    ...(lot && { lot_id: lot }),
    ...momentsOf(filters, zone),
    ...(after && { cursor: after }),
  }
}
