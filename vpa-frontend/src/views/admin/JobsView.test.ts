import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Work } from '@/api/work'
import { press } from '@/test/dialog'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import JobsView from './JobsView.vue'

const toast = vi.hoisted(() => ({ done: vi.fn(), failed: vi.fn(), unexpected: vi.fn() }))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)

const someWork = (change: Partial<Work> = {}): Work => ({
  id: 7,
  what: 'jobs',
  kind: 'export-ledger',
  about: null,
  who: { id: 3, name: 'Asha Rao' },
  status: 'failed',
  progress: 40,
  attempts: 3,
  error: 'ValueError in backend.exports.making, line 7',
  created_at: '2026-11-26T09:00:00Z',
  finished_at: '2026-11-26T09:05:00Z',
  retryable: true,
  ...change,
})

const asked: string[] = []
let items: Work[]

beforeEach(() => {
  vi.clearAllMocks()
  asked.length = 0
  items = [someWork()]
  server.use(
    http.get('*/api/v1/system/jobs', ({ request }) => {
      asked.push(new URL(request.url).search)
      return HttpResponse.json({
        items,
        next_cursor: null,
        total: null,
        failed: { jobs: 1, reports: 0, mail: 12, tasks: 0 },
      })
    }),
  )
})

describe('JobsView', () => {
  it('shows whose work failed and why, and how much failed of each kind', async () => {
    const { page } = await openPage(JobsView, '/admin/jobs?status=failed')
    await settled(() => page.find('table').exists())
    expect(asked).toEqual(['?what=jobs&limit=50&status=failed'])
    expect(page.find('table').text()).toContain('Export of the ledger')
    expect(page.find('table').text()).toContain('ValueError in backend.exports.making, line 7')
    expect(page.find('table a').attributes('href')).toBe('/admin/users/3')
    expect(page.findAll('[role=tab]').map((tab) => tab.text())).toEqual([
      'Jobs 1',
      'Reports',
      'Mail 12',
      'Failed tasks',
    ])
  })

  it('turns to another kind without the state that only this one has', async () => {
    const { page, router } = await openPage(JobsView, '/admin/jobs?status=cancelled')
    await settled(() => page.find('table').exists())
    items = [
      someWork({
        what: 'mail',
        kind: 'receipt',
        about: 'a…@e…',
        who: null,
        status: 'bounced',
        retryable: false,
      }),
    ]
    const tab = given(page.findAll('[role=tab]').find((each) => each.text().startsWith('Mail')))
    await tab.trigger('mousedown', { button: 0 })
    await settled(() => page.text().includes('a…@e…'))
    expect(router.currentRoute.value.fullPath).toBe('/admin/jobs?what=mail')
    expect(asked.at(-1)).toBe('?what=mail&limit=50')
    expect(page.find('table').text()).toContain('receipt')
    expect(page.find('table').text()).toContain('Bounced')
    expect(page.text()).not.toContain('Try again')
  })

  it('lets one be tried again, and shows how it stands then', async () => {
    server.use(
      http.post('*/api/v1/system/jobs/jobs/7/retry', () => {
        items = [someWork({ status: 'waiting', retryable: false, error: null, attempts: 0 })]
        return HttpResponse.json(items[0])
      }),
    )
    const { page } = await openPage(JobsView, '/admin/jobs')
    await settled(() => page.text().includes('Try again'))
    press('Try again')
    await settled(() => !page.text().includes('Try again'))
    expect(page.find('table').text()).toContain('Waiting')
    expect(toast.done).toHaveBeenCalledExactlyOnceWith('It is tried again')
  })

  it('says why one cannot be', async () => {
    server.use(
      http.post('*/api/v1/system/jobs/jobs/7/retry', () =>
        refuse(409, 'not-retryable', 'They have another one.'),
      ),
    )
    const { page } = await openPage(JobsView, '/admin/jobs')
    await settled(() => page.text().includes('Try again'))
    press('Try again')
    await settled(() => toast.failed.mock.calls.length > 0)
    expect(toast.failed).toHaveBeenCalledExactlyOnceWith('They have another one.', 'retry')
  })
})
