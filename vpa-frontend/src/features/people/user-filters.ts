import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AccountQuery, Role } from '@/api/users'

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
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' ? value : ''
  }
  const after = text('after')
  const page = Number(text('page'))
  return {
    q: text('q'),
    role: ROLES.find((role) => role === text('role')) ?? 'all',
    active: (['yes', 'no'] as const).find((each) => each === text('active')) ?? 'all',
    after,
    page: after && Number.isInteger(page) && page > 1 ? page : 1,
  }
}

export const writeFilters = ({ q, role, active, after, page }: UserFilters): LocationQueryRaw => ({
  ...(q && { q }),
  ...(role !== 'all' && { role }),
  ...(active !== 'all' && { active }),
  ...(after && { after, page: String(page) }),
})

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
