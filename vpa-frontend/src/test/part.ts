import { mount, type VueWrapper } from '@vue/test-utils'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { createPinia } from 'pinia'
import type { ComponentPublicInstance } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'

interface Options {
  props?: Record<string, unknown>
  attrs?: Record<string, unknown>
  slots?: Record<string, unknown>
  attachTo?: Element
}

/** A part of a page by itself, in the document, with the words and links that it may use. */
export function showPart(
  // A generic component is typed as a function that `Component` does not take.
  component: object,
  options: Options = {},
): VueWrapper<ComponentPublicInstance<Record<string, unknown>>> {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:path(.*)*', component: { render: () => null } }],
  })
  return mount(
    component as never,
    {
      attachTo: document.body,
      ...options,
      global: { plugins: [createPinia(), router, [I18NextVue, { i18next }]] },
    } as never,
  ) as never
}
