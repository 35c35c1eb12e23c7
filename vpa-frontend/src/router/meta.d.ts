import 'vue-router'
import type { User } from '@/api/auth'

export {}

declare module 'vue-router' {
  interface RouteMeta {
    layout: 'driver' | 'auth' | 'admin' | 'gate'
    /** Who may open it, `any` for all who are signed in, `staff` for who works here; everybody without. */
    role?: User['roles'][number] | 'any' | 'staff'
    /** Those who are signed in have nothing to do here. */
    isForGuests?: boolean
    /** On phones a bar of its own at the bottom stands in for the tabs. */
    hasBottomBar?: boolean
  }
}
