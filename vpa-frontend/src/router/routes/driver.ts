import type { RouteRecordRaw } from 'vue-router'
import { page } from '../page'

/** What drivers open; their security is a matter of everybody. */
export const driverRoutes: RouteRecordRaw[] = [
  {
    path: '/bookings',
    name: 'bookings',
    component: page(() => import('@/views/driver/BookingsView.vue'), 'bookings'),
    meta: { layout: 'driver', role: 'driver' },
  },
  {
    path: '/bookings/:id(\\d+)',
    name: 'ticket',
    component: page(() => import('@/views/driver/TicketView.vue'), 'bookings', 'ticket'),
    meta: { layout: 'driver', role: 'driver' },
  },
  {
    path: '/reports',
    name: 'reports',
    component: page(() => import('@/views/driver/ReportsView.vue'), 'reports'),
    meta: { layout: 'driver', role: 'driver' },
  },
  {
    path: '/notifications',
    name: 'notifications',
    component: page(() => import('@/views/NotificationsView.vue'), 'notifications'),
    meta: { layout: 'driver', role: 'any' },
  },
  {
    path: '/vehicles',
    name: 'vehicles',
    component: page(() => import('@/views/driver/VehiclesView.vue'), 'vehicles'),
    meta: { layout: 'driver', role: 'driver' },
  },
  {
    path: '/profile',
    name: 'profile',
    component: page(() => import('@/views/driver/ProfileView.vue'), 'profile'),
    meta: { layout: 'driver', role: 'driver' },
  },
  {
    path: '/profile/security',
    name: 'security',
    component: page(() => import('@/views/driver/SecurityView.vue'), 'security'),
    meta: { layout: 'driver', role: 'any' },
  },
]
