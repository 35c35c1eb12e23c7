import type { Account, AccountUpdate } from '@/api/users'
import { ROLES } from './user-filters'

/** What somebody may do, as boxes that are ticked or not. */
export const GRANTS = [...ROLES, 'active', 'permit'] as const
export type Grant = (typeof GRANTS)[number]
export type Access = Record<Grant, boolean>

export function accessOf({ roles, active, accessible_permit }: Account): Access {
  return {
    driver: roles.includes('driver'),
    attendant: roles.includes('attendant'),
    admin: roles.includes('admin'),
    active,
    permit: accessible_permit,
  }
}

export const differing = (one: Access, other: Access): Grant[] =>
  GRANTS.filter((grant) => one[grant] !== other[grant])

/** The part of the API's body that says what was changed. */
export function changesOf(base: Access, mine: Access): AccountUpdate {
  const changed = differing(base, mine)
  return {
    ...(ROLES.some((role) => changed.includes(role)) && {
      roles: ROLES.filter((role) => mine[role]),
    }),
    ...(changed.includes('active') && { active: mine.active }),
    ...(changed.includes('permit') && { accessible_permit: mine.permit }),
  }
}

/** What was ticked here, upon what somebody else saved meanwhile. */
export function mergeAccess(base: Access, theirs: Access, mine: Access): Access {
  const merged = { ...theirs }
  for (const grant of differing(base, mine)) merged[grant] = mine[grant]
  return merged
}
