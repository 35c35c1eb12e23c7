import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { createPinia } from 'pinia'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { adminRoutes } from '@/router/routes/admin'
import { driverRoutes } from '@/router/routes/driver'
import { gateRoutes } from '@/router/routes/gate'
import { linkedRoutes } from '@/router/routes/linked'
import { publicRoutes } from '@/router/routes/public'

/** A view at its address, as the app shows it, with the app's own routes around it. */
export async function openPage(view: Component, path: string) {
  // Where links lead matters here, not what is there.
  const routes = [publicRoutes, driverRoutes, gateRoutes, adminRoutes, linkedRoutes]
    .flat()
    .map((route) => ('redirect' in route ? route : { ...route, component: { render: () => null } }))
  const router = createRouter({ history: createMemoryHistory(), routes: routes as never })
  await router.push(path)
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const page = mount(view, {
    attachTo: document.body,
    global: {
      plugins: [
        createPinia(),
        router,
        [VueQueryPlugin, { queryClient }],
        [I18NextVue, { i18next }],
      ],
    },
  })
  return { page, router }
}

/** What must be there, or the test ends here. */
export function given<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('It is not there.')
  return value
}

/** Waits until what a page asked for has come and is shown. */
export async function settled(until: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !until(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    await flushPromises()
  }
}
