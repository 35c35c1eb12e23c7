import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Lot, LotQuery } from '@/api/lots'
import { readAddress, writeAddress } from '@/lib/list-address'

export const STATUSES = [
  'open',
  'closed',
  'draft',
  'archived',
] as const satisfies readonly Lot['status'][]
export type StatusFilter = Lot['status'] | 'all'
export const PAGE_SIZE = 50

/** What the list of lots shows, as the address keeps it. */
export interface LotFilters {
  q: string
  status: StatusFilter
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export function readFilters(query: LocationQuery): LotFilters {
  const { text, oneOf, place } = readAddress(query)
  return { q: text('q'), status: oneOf('status', STATUSES, 'all'), ...place() }
}

export const writeFilters = (filters: LotFilters): LocationQueryRaw =>
  writeAddress(filters, { status: 'all' })

/** The same as the API asks for it: all that is in business or to be, and archived lots when asked for. */
export function lotQueryOf({ q, status, after }: LotFilters): LotQuery {
  return {
    status: status === 'all' ? ['open', 'closed', 'draft'] : [status],
    limit: PAGE_SIZE,
    ...(q && { q }),
    ...(after && { cursor: after }),
  }
}
