import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Lot, LotQuery } from '@/api/lots'

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
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' ? value : ''
  }
  const after = text('after')
  const page = Number(text('page'))
  return {
    q: text('q'),
    status: STATUSES.find((status) => status === text('status')) ?? 'all',
    after,
    page: after && Number.isInteger(page) && page > 1 ? page : 1,
  }
}

export const writeFilters = ({ q, status, after, page }: LotFilters): LocationQueryRaw => ({
  ...(q && { q }),
  ...(status !== 'all' && { status }),
  ...(after && { after, page: String(page) }),
})

/** The same as the API asks for it: all that is in business or to be, and archived lots when asked for. */
export function lotQueryOf({ q, status, after }: LotFilters): LotQuery {
  return {
    status: status === 'all' ? ['open', 'closed', 'draft'] : [status],
    limit: PAGE_SIZE,
    ...(q && { q }),
    ...(after && { cursor: after }),
  }
}
