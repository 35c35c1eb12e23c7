import type { RouteMeta, Router } from 'vue-router'
import { load, save } from '@/stores/kept'
import type { useSession } from '@/stores/session'

const RELOADED = 'vv.reloaded'

/** Sends guests to the sign-in, and back to where they wanted to go; keeps pages to their roles. */
export function guardPages(router: Router, session: ReturnType<typeof useSession>): void {
  router.beforeEach(async (to) => {
    // When the page opened the server may not have answered; who is signed in is asked again.
    if (to.meta.role || to.meta.isForGuests) await session.restore()
    if (to.meta.role && !session.isSignedIn) {
      return { name: 'sign-in', query: { next: to.fullPath } }
    }
    const { role = 'any' } = to.meta
    if (!mayOpen(role, session.user?.roles ?? [])) return homeOf(session)
    if (to.meta.isForGuests && session.isSignedIn) {
      return safeNext(to.query['next']) ?? homeOf(session)
    }
    return true
  })
  // A build that was replaced while the page was open has lost its chunks: the new one has them. Where
  // they are still missing after that, another try would only be the next of many.
  router.onError((error, to) => {
    if (!/dynamically imported module|Importing a module script failed/i.test(String(error))) return
    if (load('sessionStorage', RELOADED) === to.fullPath) return
    save('sessionStorage', RELOADED, to.fullPath)
    window.location.assign(to.fullPath)
  })
  router.afterEach((_to, _from, failure) => {
    if (!failure) save('sessionStorage', RELOADED, null)
  })
}

function mayOpen(role: NonNullable<RouteMeta['role']>, roles: readonly string[]): boolean {
  if (role === 'any') return true
  return role === 'staff'
    ? roles.includes('attendant') || roles.includes('admin')
    : roles.includes(role)
}

/** Where a fresh sign-in leads. */
export function homeOf(session: ReturnType<typeof useSession>) {
  // By its path, since the pages of admins have no names before the first of them is opened.
  if (session.isAdmin) return '/admin/lots'
  return session.isAttendant ? '/gate' : { name: 'find' }
}

/** A path of this site that came along in the address; anything else leads nowhere. */
export function safeNext(next: unknown): string | undefined {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : undefined
}
