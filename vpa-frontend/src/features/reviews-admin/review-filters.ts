import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { ModerationQuery } from '@/api/admin-reviews'
import { readAddress, writeAddress } from '@/lib/list-address'

export const PAGE_SIZE = 20

/** Which reviews the list shows, as the address keeps it. */
export interface ReviewFilters {
  status: 'published' | 'hidden' | 'all'
  answered: 'yes' | 'no' | ''
  stars: '1' | '2' | '3' | '4' | '5' | ''
  lot: number | undefined
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export const NO_FILTERS: ReviewFilters = {
  status: 'all',
  answered: '',
  stars: '',
  lot: undefined,
  after: '',
  page: 1,
}

export function readFilters(query: LocationQuery): ReviewFilters {
  const { id, oneOf, place } = readAddress(query)
  return {
    status: oneOf('status', ['published', 'hidden'], 'all'),
    answered: oneOf('answered', ['yes', 'no'], ''),
    stars: oneOf('stars', ['1', '2', '3', '4', '5'], ''),
    lot: id('lot'),
    ...place(),
  }
}

export const writeFilters = (filters: ReviewFilters): LocationQueryRaw =>
  writeAddress(filters, { status: 'all' })

/** The same as the API asks for it. */
export function reviewQueryOf({
  status,
  answered,
  stars,
  lot,
  after,
}: ReviewFilters): ModerationQuery {
  return {
    limit: PAGE_SIZE,
    ...(status !== 'all' && { status }),
    ...(answered && { answered: answered === 'yes' }),
    ...(stars && { stars: Number(stars) }),
    ...(lot && { lot_id: lot }),
    ...(after && { cursor: after }),
  }
}
