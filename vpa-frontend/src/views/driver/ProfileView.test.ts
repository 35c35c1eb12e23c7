import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { HttpResponse, http } from 'msw'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { usePrefs } from '@/stores/prefs'
import { useSession } from '@/stores/session'
import { settled } from '@/test/page'
import { aSignIn, aUser } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import ProfileView from './ProfileView.vue'

const toast = vi.hoisted(() => ({
  done: vi.fn(),
  failed: vi.fn(),
  unexpected: vi.fn(),
  dismiss: vi.fn(),
}))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => {
  localStorage.clear()
  for (const said of Object.values(toast)) said.mockReset()
  setActivePinia(createPinia())
})

/** The profile within a router, which its guard needs. */
async function open(user = aUser({ phone: '+49 351 1' })) {
  const pinia = createPinia()
  setActivePinia(pinia)
  server.use(
    http.post('*/auth/login', () => HttpResponse.json(aSignIn('token', user))),
    http.get('*/api/v1/me/notification-settings', () => HttpResponse.json({ items: [] })),
  )
  await useSession().signIn({ email: user.email, password: 'kerb-paint-17' })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/profile', component: ProfileView },
      { path: '/vehicles', component: { render: () => null } },
      { path: '/profile/security', name: 'security', component: { render: () => null } },
      { path: '/sign-in', name: 'sign-in', component: { render: () => null } },
    ],
  })
  await router.push('/profile')
  const page = mount(RouterView, {
    attachTo: document.body,
    global: {
      plugins: [
        pinia,
        router,
        [VueQueryPlugin, { queryClient: new QueryClient() }],
        [I18NextVue, { i18next }],
      ],
    },
  })
  await settled(() => page.find('form').exists())
  const input = (name: string) => page.find<HTMLInputElement>(`[name="${name}"]`)
  return {
    page,
    router,
    input,
    path: () => router.currentRoute.value.path,
    errors: () => page.findAll('.error').map((error) => error.text()),
    submit: () => page.find('form').trigger('submit'),
    press(name: string, within: ParentNode = document) {
      const button = [...within.querySelectorAll<HTMLElement>('button')].find(
        (each) => each.textContent?.trim() === name,
      )
      expect(button, name).toBeDefined()
      button?.click()
    },
  }
}
const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')

describe('the profile', () => {
  it('shows who one is, and since when', async () => {
    const { page, input } = await open()
    expect(page.text()).toMatch(/With us since .*2026/)
    expect(page.find<HTMLInputElement>('input[type=email]').element).toMatchObject({
      value: 'asha@example.com',
      readOnly: true,
    })
    expect(
      ['name', 'phone', 'timezone', 'locale'].map((name) => input(name).element.value),
    ).toEqual(['Asha Rao', '+49 351 1', 'Europe/Berlin', 'en-IE'])
  })

  it('saves what was changed, and takes the answer over everywhere', async () => {
    let sent: unknown
    server.use(
      http.patch('*/api/v1/me', async ({ request }) => {
        sent = await request.json()
        return HttpResponse.json(aUser(sent as object))
      }),
    )
    const { input, submit } = await open()
    await input('name').setValue(' Asha R. ')
    await input('phone').setValue('')
    await input('locale').setValue('de-DE')
    await submit()
    await settled(() => toast.done.mock.calls.length > 0)
    expect(sent).toEqual({
      name: 'Asha R.',
      phone: null,
      timezone: 'Europe/Berlin',
      locale: 'de-DE',
    })
    expect(useSession().user?.name).toBe('Asha R.')
    expect(toast.done).toHaveBeenCalledWith('Your profile was saved.')
    expect(input('name').element.value).toBe('Asha R.')
  })

  it('shows what is wrong at its field, also what only the API knows', async () => {
    const { input, submit, errors } = await open()
    await input('name').setValue('')
    await input('phone').setValue('x')
    await submit()
    await settled(() => errors().length === 2)
    expect(errors()[0]).toBe('Enter your name.')
    await input('name').setValue('Asha')
    await input('phone').setValue('')
    server.use(
      http.patch('*/api/v1/me', () =>
        HttpResponse.json(
          { type: '/p/invalid-input', errors: { name: ['Too odd.'] } },
          { status: 422 },
        ),
      ),
    )
    await submit()
    await settled(() => errors()[0] === 'Too odd.')
    expect(errors()).toEqual(['Too odd.'])
  })

  it('says in its place what belongs to no field', async () => {
    server.use(http.patch('*/api/v1/me', () => refuse(403, 'forbidden', 'Not you.')))
    const { page, submit } = await open()
    await submit()
    await settled(() => page.find('[role=alert]').exists())
    expect(page.find('[role=alert]').text()).toBe('Not you.')
  })

  it('offers the zone of the device, and shows how dates and numbers are written', async () => {
    const { page, input, press } = await open()
    await settled(() => page.text().includes('€1,234.50'))
    expect(page.text()).toContain('€1,234.50')
    await input('locale').setValue('de-DE')
    expect(page.text()).toContain('1.234,50')
    press('Use this device’s: America/St Johns')
    await flushPromises()
    expect(input('timezone').element.value).toBe('America/St_Johns')
    expect(page.text()).not.toContain('Use this device’s')
  })

  it('keeps a zone and a locale that this browser does not know', async () => {
    const { input } = await open(aUser({ timezone: 'Asia/Calcutta', locale: 'en-x' }))
    expect(input('timezone').element.value).toBe('Asia/Calcutta')
    expect(input('locale').element.value).toBe('en-x')
  })

  it('asks before changes are left behind', async () => {
    const { router, input, path, press } = await open()
    await input('name').setValue('Another')
    void router.push('/vehicles')
    await settled(() => dialog() !== null)
    expect(dialog()?.textContent).toContain('Leave without saving?')
    press('Stay here')
    await settled(() => dialog() === null)
    expect(path()).toBe('/profile')
    void router.push('/vehicles')
    await settled(() => dialog() !== null)
    press('Leave the page')
    await settled(() => path() === '/vehicles')
    expect(path()).toBe('/vehicles')
  })
})

describe('the appearance', () => {
  it('is chosen for this browser', async () => {
    const { page } = await open()
    await page.find('input[value=dark]').setValue()
    expect(usePrefs().theme).toBe('dark')
  })
})

describe('signing out', () => {
  const answer = () => {
    const sent: unknown[] = []
    server.use(
      http.post('*/auth/logout', async ({ request }) => {
        sent.push(await request.json())
        return new HttpResponse(null, { status: 204 })
      }),
    )
    return sent
  }

  it('is done here at once', async () => {
    const sent = answer()
    const { press, path } = await open()
    press('Sign out')
    await settled(() => path() === '/sign-in')
    expect([path(), sent]).toEqual(['/sign-in', [{ everywhere: false }]])
  })

  it('is done everywhere after a question that names the account', async () => {
    const sent = answer()
    const { press, path } = await open()
    press('Sign out everywhere')
    await settled(() => dialog() !== null)
    expect(dialog()?.textContent).toContain('asha@example.com')
    expect(sent).toEqual([])
    press('Sign out everywhere', dialog() ?? document)
    await settled(() => path() === '/sign-in')
    expect([path(), sent]).toEqual(['/sign-in', [{ everywhere: true }]])
  })

  it('does not ask about unsaved changes', async () => {
    answer()
    const { input, press, path } = await open()
    await input('name').setValue('Another')
    press('Sign out')
    await settled(() => path() === '/sign-in')
    expect(path()).toBe('/sign-in')
  })
})
