import type { RouteRecordRaw } from 'vue-router'
import { page } from '../page'

/** What admins open. */
export const adminRoutes: RouteRecordRaw[] = [
  { path: '/admin', redirect: { name: 'admin-lots' } },
  {
    path: '/admin/lots',
    name: 'admin-lots',
    component: page(() => import('@/views/admin/LotsView.vue'), 'admin'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/lots/new',
    name: 'admin-lot-new',
    component: page(() => import('@/views/admin/LotNewView.vue'), 'admin'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/lots/import',
    name: 'admin-lot-import',
    component: page(() => import('@/views/admin/LotImportView.vue'), 'admin'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/lots/:id(\\d+)',
    name: 'admin-lot',
    component: page(() => import('@/views/admin/LotEditView.vue'), 'admin'),
    meta: { layout: 'admin', role: 'admin' },
  },
]
