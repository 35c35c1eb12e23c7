import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { createMemoryHistory, createRouter, RouterView } from 'vue-router'
import { useSession } from '@/stores/session'
import { aUser } from '@/test/people'
import { useUnsavedGuard } from './useUnsavedGuard'

enableAutoUnmount(afterEach)
beforeEach(() => setActivePinia(createPinia()))

async function openForm() {
  const isDirty = ref(true)
  let guard!: ReturnType<typeof useUnsavedGuard>
  const Form = defineComponent({
    setup() {
      guard = useUnsavedGuard(() => isDirty.value)
      return () => h('h1', 'Form')
    },
  })
  const Other = { render: () => h('h1', 'Other') }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/form/:id', component: Form },
      { path: '/other', component: Other },
    ],
  })
  await router.push('/form/1')
  useSession().update(aUser())
  const page = mount(RouterView, {
    global: { plugins: [router, [I18NextVue, { i18next }]] },
  })
  await flushPromises()
  return { router, page, guard, isDirty, path: () => router.currentRoute.value.fullPath }
}

describe('useUnsavedGuard', () => {
  it('asks before the page is left, and lets go', async () => {
    const { router, guard, path } = await openForm()
    const left = router.push('/other')
    await flushPromises()
    expect([guard.isAsking.value, path()]).toEqual([true, '/form/1'])
    guard.leave()
    await left
    expect([guard.isAsking.value, path()]).toEqual([false, '/other'])
  })

  it('stays when the question is closed, and asks again the next time', async () => {
    const { router, guard, path } = await openForm()
    const left = router.push('/other')
    await flushPromises()
    guard.isAsking.value = false
    await left
    expect(path()).toBe('/form/1')
    void router.push('/other')
    await flushPromises()
    expect(guard.isAsking.value).toBe(true)
  })

  it('asks before the page shows another thing', async () => {
    const { router, guard, path } = await openForm()
    const left = router.push('/form/2')
    await flushPromises()
    expect(guard.isAsking.value).toBe(true)
    guard.leave()
    await left
    expect(path()).toBe('/form/2')
  })

  it('gives the first way out up for the second', async () => {
    const { router, guard, path } = await openForm()
    const first = router.push('/form/2')
    await flushPromises()
    const second = router.push('/other')
    await flushPromises()
    guard.leave()
    await Promise.all([first, second])
    expect(path()).toBe('/other')
  })

  it('does not ask without changes, for a filter of the same page, or after a sign-out', async () => {
    const { router, isDirty, path } = await openForm()
    await router.push('/form/1?tab=prices')
    expect(path()).toBe('/form/1?tab=prices')
    useSession().forget()
    await router.push('/other')
    expect(path()).toBe('/other')
    useSession().update(aUser())
    await router.push('/form/1')
    isDirty.value = false
    await router.push('/other')
    expect(path()).toBe('/other')
  })

  it('has the browser ask before the tab is closed', async () => {
    const { isDirty, page } = await openForm()
    const closing = () => {
      const event = new Event('beforeunload', { cancelable: true })
      window.dispatchEvent(event)
      return event.defaultPrevented
    }
    expect(closing()).toBe(true)
    isDirty.value = false
    expect(closing()).toBe(false)
    isDirty.value = true
    page.unmount()
    expect(closing()).toBe(false)
  })
})
