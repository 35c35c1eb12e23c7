import { createRouter, createWebHistory, type Router } from 'vue-router'
import type { useSession } from '@/stores/session'
import { guardPages } from './guards'
import { adminRoutes } from './routes/admin'
import { driverRoutes } from './routes/driver'
import { publicRoutes } from './routes/public'

export function createAppRouter(session: ReturnType<typeof useSession>): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [...publicRoutes, ...driverRoutes, ...adminRoutes],
    scrollBehavior(to, from, saved) {
      if (saved) return saved
      // A filter or a time in the address changes what a page shows, not where its reader is.
      return to.path === from.path ? false : { top: 0 }
    },
  })
  guardPages(router, session)
  return router
}
