import type { RouteRecordRaw } from 'vue-router'
import { page } from '../page'

const gallery: RouteRecordRaw[] = import.meta.env.DEV
  ? [
      {
        path: '/gallery',
        name: 'gallery',
        component: page(() => import('@/views/GalleryView.vue'), 'gallery'),
        meta: { layout: 'driver' },
      },
    ]
  : []

/** What everybody may open. */
export const publicRoutes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'find',
    component: page(() => import('@/views/driver/FindView.vue'), 'find', 'when'),
    meta: { layout: 'driver' },
  },
  {
    path: '/lots/:id(\\d+)',
    name: 'lot',
    component: page(() => import('@/views/driver/LotView.vue'), 'lot', 'when'),
    meta: { layout: 'driver', hasBottomBar: true },
  },
  {
    path: '/sign-in',
    name: 'sign-in',
    component: page(() => import('@/views/auth/SignInView.vue'), 'auth', 'identity'),
    meta: { layout: 'auth', isForGuests: true },
  },
  {
    path: '/register',
    name: 'register',
    component: page(() => import('@/views/auth/RegisterView.vue'), 'auth', 'identity'),
    meta: { layout: 'auth', isForGuests: true },
  },
  {
    path: '/verify',
    name: 'verify',
    component: page(() => import('@/views/auth/VerifyView.vue'), 'auth'),
    meta: { layout: 'auth', isForGuests: true },
  },
  {
    path: '/forgot-password',
    name: 'forgot-password',
    component: page(() => import('@/views/auth/ForgotPasswordView.vue'), 'auth'),
    meta: { layout: 'auth' },
  },
  {
    path: '/reset-password',
    name: 'reset-password',
    component: page(() => import('@/views/auth/ResetPasswordView.vue'), 'auth', 'identity'),
    meta: { layout: 'auth' },
  },
  ...gallery,
  {
    path: '/:path(.*)*',
    name: 'not-found',
    component: () => import('@/views/NotFoundView.vue'),
    meta: { layout: 'driver' },
  },
]
