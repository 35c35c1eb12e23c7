import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Work, WorkQuery } from '@/api/work'
import { readAddress, writeAddress } from '@/lib/list-address'

export const KINDS = ['jobs', 'reports', 'mail', 'tasks'] as const satisfies readonly Work['what'][]
export const PAGE_SIZE = 50

/** How work of each kind may stand. */
export const STATES = {
  jobs: ['waiting', 'running', 'done', 'failed', 'cancelled'],
  reports: ['waiting', 'running', 'done', 'failed'],
  mail: ['waiting', 'done', 'failed', 'bounced'],
  tasks: ['failed', 'done'],
} as const satisfies Record<Work['what'], readonly Work['status'][]>
const ALL_STATES = ['waiting', 'running', 'done', 'failed', 'bounced', 'cancelled'] as const

/** Which work the list shows, as the address keeps it. */
export interface WorkFilters {
  what: Work['what']
  status: Work['status'] | ''
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export function readFilters(query: LocationQuery): WorkFilters {
  const { oneOf, place } = readAddress(query)
  return {
    what: oneOf('what', KINDS, 'jobs'),
    status: oneOf('status', ALL_STATES, ''),
    ...place(),
  }
}

export const writeFilters = (filters: WorkFilters): LocationQueryRaw =>
  writeAddress(filters, { what: 'jobs' })

/** The same as the API asks for it. */
export const workQueryOf = ({ what, status, after }: WorkFilters): WorkQuery => ({
  what,
  limit: PAGE_SIZE,
  ...(status && { status }),
  ...(after && { cursor: after }),
})
