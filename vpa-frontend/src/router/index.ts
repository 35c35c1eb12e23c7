import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'
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
  bringPages(router, /^\/admin(?:\/|$)/, async () => (await import('./routes/admin')).adminRoutes)
  bringPages(router, /^\/gate(?:\/|$)/, async () => (await import('./routes/gate')).gateRoutes)
  bringPages(
    router,
    /^\/(?:act|unsubscribe|receipts\/verify)$/,
    async () => (await import('./routes/linked')).linkedRoutes,
  )
  return router
}

/** Few come here: the table of such pages comes when the first of them is opened. */
function bringPages(router: Router, theirs: RegExp, load: () => Promise<RouteRecordRaw[]>): void {
  let areHere = false
  router.beforeEach(async (to) => {
    if (areHere || !theirs.test(to.path)) return true
    for (const route of await load()) router.addRoute(route)
    areHere = true
    // Which page it is, is known now, and so is who may see it.
    return to.fullPath
  })
}
