import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AuditQuery } from '@/api/audit'
import { momentsOf, readAddress, writeAddress } from '@/lib/list-address'

export const PAGE_SIZE = 50

/** Which entries are shown, as the address keeps it. */
export interface AuditFilters {
  actor: number | undefined
  action: string
  subject: string
  number: number | undefined
  /** Days such as 2026-11-26, both of them included. */
  from: string
  to: string
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export const NO_FILTERS: AuditFilters = {
  actor: undefined,
  action: '',
  subject: '',
  number: undefined,
  from: '',
  to: '',
  after: '',
  page: 1,
}

export function readFilters(query: LocationQuery): AuditFilters {
  const { text, id, day, place } = readAddress(query)
  return {
    actor: id('actor'),
    action: text('action'),
    subject: text('subject'),
    number: id('number'),
    from: day('from'),
    to: day('to'),
    ...place(),
  }
}

export const writeFilters = (filters: AuditFilters): LocationQueryRaw => writeAddress(filters)

/** The same as the API asks for it: its days are those of the zone, from midnight to midnight. */
export function auditQueryOf(filters: AuditFilters, zone: string): AuditQuery {
  const { actor, action, subject, number, after } = filters
  return {
    limit: PAGE_SIZE,
    ...(actor && { actor_id: actor }),
    ...(action && { action }),
    ...(subject && { subject }),
    ...(number && { subject_id: number }),
    ...momentsOf(filters, zone),
    ...(after && { cursor: after }),
  }
}
