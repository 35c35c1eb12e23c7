import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it } from 'vitest'
import type { User } from '@/api/auth'
import { useSession } from '@/stores/session'
import { openPage, settled } from '@/test/page'
import { aSignIn, aUser } from '@/test/people'
import { server, useServer } from '@/test/server'
import AccountMenu from './AccountMenu.vue'

useServer()
enableAutoUnmount(afterEach)

const items = () => [...document.querySelectorAll<HTMLElement>('[role=menuitem]')]

async function open(user: User) {
  const { page, router } = await openPage(AccountMenu, '/')
  server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn('token', user))))
  await useSession().signIn({ email: user.email, password: 'kerb-paint-17' })
  const button = page.find('button')
  button.element.focus()
  await button.trigger('keydown', { key: 'Enter' })
  await settled(() => items().length > 0)
  return { button, router }
}

describe('AccountMenu', () => {
  it.each([
    ['Asha Rao', 'AR'],
    ['asha', 'A'],
    ['Ana María del Carmen', 'AC'],
    ['  Ümit  ', 'Ü'],
  ])('shows %j as %s, and says the whole name', async (name, initials) => {
    const { button } = await open(aUser({ name }))
    expect(button.text()).toBe(initials)
    expect(button.attributes('aria-label')).toBe(`Account menu, ${name}`)
  })

  it('offers what the roles allow', async () => {
    await open(aUser())
    expect(items().map((item) => item.textContent?.trim())).toEqual([
      'Profile',
      'Security',
      'Sign out',
    ])
    expect(document.querySelector('[role=menu]')?.textContent).toContain('asha@example.com')
  })

  it('leads admins to their lots', async () => {
    const { router } = await open(aUser({ roles: ['admin'] }))
    expect(items().map((item) => item.textContent?.trim())).toEqual([
      'Security',
      'Operate',
      'Gate',
      'Sign out',
    ])
    items()[1]?.click()
    await settled(() => router.currentRoute.value.path === '/admin/lots')
    expect(router.currentRoute.value.path).toBe('/admin/lots')
  })

  it('signs out', async () => {
    const { router } = await open(aUser())
    server.use(http.post('*/auth/logout', () => new HttpResponse(null, { status: 204 })))
    items()[2]?.click()
    await settled(() => router.currentRoute.value.name === 'sign-in')
    expect(router.currentRoute.value.name).toBe('sign-in')
    expect(useSession().isSignedIn).toBe(false)
  })
})
