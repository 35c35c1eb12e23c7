import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { usePrefs } from '@/stores/prefs'
import { useSession } from '@/stores/session'
import { aSignIn, aUser } from '@/test/people'
import { server, useServer } from '@/test/server'
import { HttpResponse, http } from 'msw'
import { guardPages, safeNext } from './guards'
import { adminRoutes } from './routes/admin'
import { driverRoutes } from './routes/driver'
import { gateRoutes } from './routes/gate'
import { publicRoutes } from './routes/public'

useServer()
beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
  setActivePinia(createPinia())
})

async function goTo(path: string, roles?: ('driver' | 'attendant' | 'admin')[]) {
  const routes = [...publicRoutes, ...driverRoutes, ...gateRoutes, ...adminRoutes].map((route) =>
    'redirect' in route ? route : { ...route, component: { render: () => null } },
  )
  const router = createRouter({ history: createMemoryHistory(), routes: routes as never })
  const session = useSession()
  if (roles) session.update(aUser({ roles }))
  guardPages(router, session)
  await router.push(path)
  return router.currentRoute.value.fullPath
}

describe('a page of a role', () => {
  it('sends guests to the sign-in, with the way back', async () => {
    expect(await goTo('/bookings?tab=past')).toBe('/sign-in?next=/bookings?tab=past')
  })

  it('is open to those who have the role', async () => {
    expect(await goTo('/bookings', ['driver'])).toBe('/bookings')
    expect(await goTo('/admin/lots', ['admin'])).toBe('/admin/lots')
  })

  it('sends others to where they belong', async () => {
    expect(await goTo('/admin/lots', ['driver'])).toBe('/')
    expect(await goTo('/vehicles', ['admin'])).toBe('/admin/lots')
    expect(await goTo('/vehicles', ['attendant'])).toBe('/gate')
  })

  it('of staff is open to attendants and admins', async () => {
    expect(await goTo('/gate')).toBe('/sign-in?next=/gate')
    expect(await goTo('/gate', ['attendant'])).toBe('/gate')
    expect(await goTo('/gate/7', ['admin'])).toBe('/gate/7')
    expect(await goTo('/gate', ['driver'])).toBe('/')
  })

  it('asks once more who is signed in, when the server did not answer at first', async () => {
    usePrefs().wasSignedIn = true
    server.use(http.post('*/auth/refresh', () => HttpResponse.json(aSignIn())))
    expect(await goTo('/bookings')).toBe('/bookings')
  })
})

describe('a page of all who are signed in', () => {
  it('is closed to guests, and open to every role', async () => {
    expect(await goTo('/profile/security')).toBe('/sign-in?next=/profile/security')
    expect(await goTo('/profile/security', ['driver'])).toBe('/profile/security')
    expect(await goTo('/profile/security', ['admin'])).toBe('/profile/security')
  })
})

describe('a page for guests', () => {
  it('is open to guests', async () => {
    expect(await goTo('/sign-in?next=/bookings')).toBe('/sign-in?next=/bookings')
  })

  it('leads those who are signed in on, or home', async () => {
    expect(await goTo('/sign-in?next=/bookings', ['driver'])).toBe('/bookings')
    expect(await goTo('/register', ['driver'])).toBe('/')
    expect(await goTo('/sign-in', ['admin'])).toBe('/admin/lots')
    expect(await goTo('/sign-in?next=https://evil.example', ['driver'])).toBe('/')
  })
})

describe('a page for everybody', () => {
  it('asks nobody who they are', async () => {
    expect(await goTo('/lots/12?from=2026-11-26T18:00:00Z')).toBe(
      '/lots/12?from=2026-11-26T18:00:00Z',
    )
  })
})

it.each([
  ['/bookings', '/bookings'],
  ['/lots/1?bay=2#map', '/lots/1?bay=2#map'],
  ['//evil.example', undefined],
  ['/\\evil.example', undefined],
  ['https://evil.example', undefined],
  ['bookings', undefined],
  [['/a', '/b'], undefined],
  [undefined, undefined],
])('leads from next=%o to %o', (next, path) => {
  expect(safeNext(next)).toBe(path)
})

it('loads the page anew when a newer build has taken its chunk away, and not for ever', async () => {
  const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
  let isThere = false
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: { render: () => null } },
      {
        path: '/gone',
        component: () =>
          isThere
            ? Promise.resolve({ render: () => null })
            : Promise.reject(
                new TypeError('Failed to fetch dynamically imported module: /assets/x.js'),
              ),
      },
    ],
  })
  guardPages(router, useSession())
  const go = (path: string) => router.push(path).catch(() => undefined)
  await go('/gone')
  expect(assign).toHaveBeenCalledExactlyOnceWith('/gone')
  await go('/gone')
  expect(assign).toHaveBeenCalledOnce()
  isThere = true
  await go('/gone')
  expect(router.currentRoute.value.path).toBe('/gone')
  // The next time that one is gone, it is worth a try again.
  expect(sessionStorage).toHaveLength(0)
})
