import type { RouteRecordRaw } from 'vue-router'
import { page } from '../page'

/** What a link in a mail or a code on paper opens, for everybody. */
export const linkedRoutes: RouteRecordRaw[] = [
  {
    path: '/receipts/verify',
    name: 'receipt',
    component: page(() => import('@/views/ReceiptView.vue'), 'receipts'),
    meta: { layout: 'driver' },
  },
  {
    path: '/act',
    name: 'act',
    component: page(() => import('@/views/ActView.vue'), 'links'),
    meta: { layout: 'driver' },
  },
  {
    path: '/unsubscribe',
    name: 'unsubscribe',
    component: page(() => import('@/views/UnsubscribeView.vue'), 'links'),
    meta: { layout: 'driver' },
  },
]
