import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h, onMounted, ref } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import App from '@/App.vue'
import { useSession } from '@/stores/session'
import { settled } from '@/test/page'
import { aUser } from '@/test/people'
import { useServer } from '@/test/server'

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => {
  localStorage.clear()
  setActivePinia(createPinia())
})

const titled = (title: string) => ({
  setup() {
    document.title = title
    return () => h('h1', title)
  },
})
const Code = {
  setup() {
    const input = ref<HTMLInputElement>()
    onMounted(() => input.value?.focus())
    return () => [h('h1', 'Code'), h('input', { ref: input, name: 'code' })]
  },
}
const Broken = {
  setup() {
    throw new Error('This page is broken')
  },
}

async function open(path: string) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: titled('Find'), meta: { layout: 'driver' } },
      {
        path: '/vehicles',
        component: titled('Vehicles'),
        meta: { layout: 'driver', role: 'driver' },
      },
      { path: '/verify', component: Code, meta: { layout: 'auth' } },
      { path: '/sign-in', name: 'sign-in', component: titled('Sign in'), meta: { layout: 'auth' } },
      { path: '/broken', component: Broken, meta: { layout: 'driver' } },
      { path: '/admin/lots', component: titled('Lots'), meta: { layout: 'admin', role: 'admin' } },
      { path: '/:path(.*)*', component: titled('Elsewhere'), meta: { layout: 'driver' } },
    ],
  })
  const queryClient = new QueryClient()
  const pinia = createPinia()
  setActivePinia(pinia)
  const app = mount(App, {
    attachTo: document.body,
    global: {
      plugins: [pinia, router, [VueQueryPlugin, { queryClient }], [I18NextVue, { i18next }]],
      config: { errorHandler: () => undefined },
    },
  })
  await router.push(path)
  await flushPromises()
  return { app, router, queryClient }
}
const focused = () => document.activeElement

describe('a change of the page', () => {
  it.each(['/', '/sign-in'])('leaves the focus alone on the first one: %s', async (path) => {
    await open(path)
    await settled(() => true)
    expect(focused()).toBe(document.body)
  })

  it('moves the focus to the heading, and is announced by the title', async () => {
    const { app, router } = await open('/')
    await router.push('/sign-in')
    await settled(() => focused()?.tagName === 'H1')
    expect(focused()?.textContent).toBe('Sign in')
    expect(app.find('[aria-live=polite].sr-only').text()).toBe('Sign in')
  })

  it('waits for a layout that comes later', async () => {
    const { router } = await open('/')
    useSession().update(aUser({ roles: ['admin'] }))
    await router.push('/admin/lots')
    await settled(() => focused()?.textContent === 'Lots')
    expect(focused()?.textContent).toBe('Lots')
  })

  it('leaves the focus to a page that placed it', async () => {
    const { router } = await open('/')
    await router.push('/verify')
    await settled(() => focused()?.tagName === 'INPUT')
    expect(focused()?.getAttribute('name')).toBe('code')
  })

  it('leaves it where it is for a filter of the same page', async () => {
    const { app, router } = await open('/')
    app.find('a').element.focus()
    const before = focused()
    await router.push('/?q=altmarkt')
    await settled(() => true)
    expect(focused()).toBe(before)
  })
})

it('lets one skip to the content', async () => {
  const { app } = await open('/')
  await app.find('.skip').trigger('click')
  expect(focused()?.tagName).toBe('MAIN')
})

describe('who is signed in', () => {
  it('takes along what was known when somebody leaves or another comes', async () => {
    const { queryClient } = await open('/')
    useSession().update(aUser())
    await flushPromises()
    queryClient.setQueryData(['vehicles'], { items: ['DDAB1234'] })
    useSession().update(aUser({ name: 'Another name of the same person' }))
    await flushPromises()
    expect(queryClient.getQueryData(['vehicles'])).toBeDefined()
    useSession().update(aUser({ id: 2 }))
    await flushPromises()
    expect(queryClient.getQueryData(['vehicles'])).toBeUndefined()
  })

  it('leaves a page of a role when nobody is any more', async () => {
    const { router } = await open('/')
    useSession().update(aUser())
    await router.push('/vehicles')
    useSession().forget()
    await settled(() => router.currentRoute.value.path === '/sign-in')
    expect(router.currentRoute.value.path).toBe('/sign-in')
  })
})

it('shows a page that breaks as broken, and the next one as ever', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const { app, router } = await open('/')
  await router.push('/broken')
  await flushPromises()
  expect(app.find('main [role=alert]').text()).toContain('This page broke')
  await router.push('/sign-in')
  await flushPromises()
  expect(app.find('main h1').text()).toBe('Sign in')
})
