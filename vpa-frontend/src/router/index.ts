import { createRouter, createWebHistory, type Router } from 'vue-router'
import type { useSession } from '@/stores/session'
import { guardPages } from './guards'
import { driverRoutes } from './routes/driver'
import { publicRoutes } from './routes/public'

export function createAppRouter(session: ReturnType<typeof useSession>): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [...publicRoutes, ...driverRoutes],
    scrollBehavior(to, from, saved) {
      if (saved) return saved
      // A filter or a time in the address changes what a page shows, not where its reader is.
      return to.path === from.path ? false : { top: 0 }
    },
  })
  guardPages(router, session)
  bringAdminPages(router)
  return router
}

/** Few are admins: the table of their pages comes when the first of these is opened. */
function bringAdminPages(router: Router): void {
  const isTheirs = (path: string) => /^\/admin(?:\/|$)/.test(path)
  let areHere = false
  router.beforeEach(async (to) => {
    if (areHere || !isTheirs(to.path)) return true
    const { adminRoutes } = await import('./routes/admin')
    for (const route of adminRoutes) router.addRoute(route)
    areHere = true
    // Which page it is, is known now, and so is who may see it.
    return to.fullPath
  })
}
