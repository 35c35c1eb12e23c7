import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AccountQuery, Role } from '@/api/users'
import { readAddress, writeAddress } from '@/lib/list-address'

export const ROLES = ['driver', 'attendant', 'admin'] as const satisfies readonly Role[]
export const PAGE_SIZE = 50

/** Which users the list shows, as the address keeps it. */
export interface UserFilters {
  q: string
  role: Role | 'all'
  active: 'yes' | 'no' | 'all'
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export function readFilters(query: LocationQuery): UserFilters {
  const { text, oneOf, place } = readAddress(query)
  return {
    q: text('q'),
    role: oneOf('role', ROLES, 'all'),
    active: oneOf('active', ['yes', 'no'], 'all'),
    ...place(),
  }
}

export const writeFilters = (filters: UserFilters): LocationQueryRaw =>
  writeAddress(filters, { role: 'all', active: 'all' })

/** The same as the API asks for it. */
export function userQueryOf({ q, role, active, after }: UserFilters): AccountQuery {
  return {
    limit: PAGE_SIZE,
    ...(q && { q }),
    ...(role !== 'all' && { role }),
    ...(active !== 'all' && { active: active === 'yes' }),
    ...(after && { cursor: after }),
  }
}
