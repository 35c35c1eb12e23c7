import type { RouteRecordRaw } from 'vue-router'
import { page } from '../page'

/** What admins open. */
export const adminRoutes: RouteRecordRaw[] = [
  { path: '/admin', redirect: { name: 'admin-lots' } },
  {
    path: '/admin/lots',
    name: 'admin-lots',
    component: page(() => import('@/views/admin/LotsView.vue'), 'admin', 'lists'),
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
  {
    path: '/admin/users',
    name: 'admin-users',
    component: page(() => import('@/views/admin/UsersView.vue'), 'people', 'lists', 'exports'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/users/:id(\\d+)',
    name: 'admin-user',
    component: page(() => import('@/views/admin/UserView.vue'), 'people', 'identity'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/bookings',
    name: 'admin-bookings',
    component: page(() => import('@/views/admin/BookingsView.vue'), 'desk', 'lists', 'exports'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/bookings/:id(\\d+)',
    name: 'admin-booking',
    component: page(() => import('@/views/admin/BookingView.vue'), 'desk', 'money'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/payments',
    name: 'admin-payments',
    component: page(() => import('@/views/admin/PaymentsView.vue'), 'money', 'lists', 'exports'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/payments/:id(\\d+)',
    name: 'admin-payment',
    component: page(() => import('@/views/admin/PaymentView.vue'), 'money'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/ledger',
    name: 'admin-ledger',
    component: page(() => import('@/views/admin/LedgerView.vue'), 'money', 'lists', 'exports'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/coupons',
    name: 'admin-coupons',
    component: page(() => import('@/views/admin/CouponsView.vue'), 'coupons', 'lists'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/reviews',
    name: 'admin-reviews',
    component: page(() => import('@/views/admin/ReviewsView.vue'), 'moderation', 'lists'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/reports',
    name: 'admin-reports',
    component: page(() => import('@/views/admin/ReportsView.vue'), 'work', 'lists'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/exports',
    name: 'admin-exports',
    component: page(() => import('@/views/admin/ExportsView.vue'), 'exports', 'lists'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/jobs',
    name: 'admin-jobs',
    component: page(() => import('@/views/admin/JobsView.vue'), 'work', 'lists'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/system',
    name: 'admin-system',
    component: page(() => import('@/views/admin/SystemView.vue'), 'system'),
    meta: { layout: 'admin', role: 'admin' },
  },
  {
    path: '/admin/audit-log',
    name: 'admin-audit-log',
    component: page(
      () => import('@/views/admin/AuditLogView.vue'),
      'audit',
      'people',
      'lists',
      'exports',
    ),
    meta: { layout: 'admin', role: 'admin' },
  },
]
