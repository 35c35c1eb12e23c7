import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AuditQuery } from '@/api/audit'
import { DAY, fromWall, toIso, toWall } from '@/lib/time'

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
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' ? value : ''
  }
  const id = (name: string) => (/^[1-9]\d{0,15}$/.test(text(name)) ? Number(text(name)) : undefined)
  const day = (name: string) => (/^\d{4}-\d\d-\d\d$/.test(text(name)) ? text(name) : '')
  const after = text('after')
  const page = Number(text('page'))
  return {
    actor: id('actor'),
    action: text('action'),
    subject: text('subject'),
    number: id('number'),
    from: day('from'),
    to: day('to'),
    after,
    page: after && Number.isInteger(page) && page > 1 ? page : 1,
  }
}

export const writeFilters = ({ page, after, ...filters }: AuditFilters): LocationQueryRaw => ({
  ...Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]) => (value ? [[name, String(value)]] : [])),
  ),
  ...(after && { after, page: String(page) }),
})

/** The same as the API asks for it: its days are those of the zone, from midnight to midnight. */
export function auditQueryOf(filters: AuditFilters, zone: string): AuditQuery {
  const { actor, action, subject, number, after } = filters
  const from = filters.from && fromWall(`${filters.from}T00:00`, zone)
  const to = filters.to && fromWall(`${dayAfter(filters.to)}T00:00`, zone)
  return {
    limit: PAGE_SIZE,
    ...(actor && { actor_id: actor }),
    ...(action && { action }),
    ...(subject && { subject }),
    ...(number && { subject_id: number }),
    ...(from && { from: toIso(from) }),
    ...(to && { to: toIso(to) }),
    ...(after && { cursor: after }),
  }
}

function dayAfter(day: string): string {
  const noon = Date.parse(`${day}T12:00Z`)
  return Number.isNaN(noon) ? day : toWall(new Date(noon + DAY), 'UTC').slice(0, 10)
}
