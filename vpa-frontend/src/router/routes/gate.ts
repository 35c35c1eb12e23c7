import type { RouteRecordRaw } from 'vue-router'
import { page } from '../page'

/** What attendants open; admins may too. */
export const gateRoutes: RouteRecordRaw[] = [
  {
    path: '/gate',
    name: 'gate-lots',
    component: page(() => import('@/views/gate/GateLotsView.vue'), 'gate'),
    meta: { layout: 'gate', role: 'staff' },
  },
  {
    path: '/gate/:id(\\d+)',
    name: 'gate',
    component: page(() => import('@/views/gate/GateView.vue'), 'gate'),
    meta: { layout: 'gate', role: 'staff' },
  },
]
