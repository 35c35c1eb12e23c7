import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import ExportButton from './ExportButton.vue'

const toast = vi.hoisted(() => ({ done: vi.fn(), failed: vi.fn(), unexpected: vi.fn() }))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => {
  vi.clearAllMocks()
})

const List = defineComponent(
  () => () =>
    h(ExportButton, {
      kind: 'payments',
      list: { limit: 50, cursor: 'abc', status: 'refunded', lot_id: 3 },
    }),
)
const items = () => [...document.querySelectorAll<HTMLElement>('[role=menuitem]')]

async function choose(words: string) {
  const { page, router } = await openPage(List, '/admin/payments')
  await settled(() => page.find('button').exists())
  page.find<HTMLElement>('button').element.focus()
  document.activeElement?.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }),
  )
  await settled(() => items().length > 0)
  given(items().find((item) => item.textContent.trim() === words)).click()
  return router
}

describe('ExportButton', () => {
  it('exports what the list is narrowed to, and leads to where it is made', async () => {
    const sent: unknown[] = []
    server.use(
      http.post('*/api/v1/exports', async ({ request }) => {
        sent.push(await request.json())
        return HttpResponse.json({}, { status: 202 })
      }),
    )
    const router = await choose('As CSV')
    await settled(() => toast.done.mock.calls.length > 0)
    expect(sent).toEqual([
      { kind: 'payments', format: 'csv', filters: { status: 'refunded', lot_id: 3 } },
    ])
    const [words, action] = toast.done.mock.calls[0] as [string, { onClick: () => void }]
    expect(words).toBe('The export is being made')
    action.onClick()
    await settled(() => router.currentRoute.value.path === '/admin/exports')
    expect(router.currentRoute.value.name).toBe('admin-exports')
  })

  it('says what is in the way', async () => {
    server.use(
      http.post('*/api/v1/exports', () => refuse(409, 'export-under-way', 'You have another.')),
    )
    await choose('As Excel (XLSX)')
    await settled(() => toast.failed.mock.calls.length > 0)
    expect(toast.failed).toHaveBeenCalledExactlyOnceWith('You have another.', 'export')
  })
})
