import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Export } from '@/api/exports'
import { press } from '@/test/dialog'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import { saveFrom } from '@/lib/save-file'
import ExportsView from './ExportsView.vue'

const toast = vi.hoisted(() => ({ done: vi.fn(), failed: vi.fn(), unexpected: vi.fn() }))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))
vi.mock('@/lib/save-file', () => ({ saveFile: vi.fn(), saveFrom: vi.fn() }))

useServer()
enableAutoUnmount(afterEach)

/** What the server has, the newest first. */
let jobs: Export[]
let sent: unknown[]
const aJob = (change: Partial<Export> = {}): Export => ({
  id: 5,
  kind: 'export-reservations',
  params: { format: 'xlsx', from: null, to: null, filters: {} },
  status: 'running',
  progress: 40,
  error: null,
  created_at: '2026-11-26T09:00:00Z',
  finished_at: null,
  expires_at: '2026-12-03T09:00:00Z',
  size: null,
  result_url: null,
  ...change,
})

beforeEach(() => {
  vi.clearAllMocks()
  jobs = []
  sent = []
  server.use(
    http.get('*/api/v1/exports', () =>
      HttpResponse.json({ items: jobs, next_cursor: null, total: null }),
    ),
    http.post('*/api/v1/exports', async ({ request }) => {
      sent.push(await request.json())
      jobs = [aJob({ status: 'queued', progress: 0 }), ...jobs]
      return HttpResponse.json(jobs[0], { status: 202 })
    }),
  )
})

describe('ExportsView', () => {
  it('asks for what its form says, with days of the installation', async () => {
    const { page } = await openPage(ExportsView, '/admin/exports')
    await settled(() => page.text().includes('No exports yet'))
    await page.find('select').setValue('payments')
    const [from, to] = page.findAll('input[type=date]')
    await given(from).setValue('2026-10-01')
    await given(to).setValue('2026-10-31')
    await page.find('form').trigger('submit')
    await settled(() => page.text().includes('Waiting'))
    expect(sent).toEqual([
      {
        kind: 'payments',
        format: 'xlsx',
        from: '2026-09-30T22:00:00Z',
        to: '2026-10-31T23:00:00Z',
      },
    ])
  })

  it('sends nothing that ends before it begins', async () => {
    const { page } = await openPage(ExportsView, '/admin/exports')
    const [from, to] = page.findAll('input[type=date]')
    await given(from).setValue('2026-10-02')
    await given(to).setValue('2026-10-01')
    await page.find('form').trigger('submit')
    expect(page.text()).toContain('This must not be before the beginning.')
    expect(sent).toEqual([])
  })

  it('says what is in the way of another', async () => {
    server.use(
      http.post('*/api/v1/exports', () => refuse(409, 'export-under-way', 'You have another.')),
    )
    const { page } = await openPage(ExportsView, '/admin/exports')
    await page.find('form').trigger('submit')
    await settled(() => page.text().includes('You have another.'))
    expect(page.text()).toContain('You have another.')
  })

  it('follows the progress until the file is there, and gives it by a link', async () => {
    jobs = [aJob()]
    server.use(
      http.post('*/api/v1/downloads', async ({ request }) => {
        sent.push(await request.json())
        return HttpResponse.json(
          { url: '/api/v1/downloads/once', expires_at: '2026-11-26T09:02:00Z' },
          { status: 201 },
        )
      }),
    )
    const { page } = await openPage(ExportsView, '/admin/exports')
    await settled(() => page.find('progress').exists())
    expect(page.find('progress').attributes('value')).toBe('40')
    expect(page.text()).toContain('40%')
    jobs = [aJob({ status: 'done', size: 2048, result_url: '/api/v1/jobs/5/result' })]
    await settled(() => page.text().includes('Download'))
    expect(page.text()).toContain('2 kB')
    press('Download')
    await settled(() => vi.mocked(saveFrom).mock.calls.length > 0)
    expect(sent).toEqual([{ job_id: 5 }])
    expect(saveFrom).toHaveBeenCalledExactlyOnceWith('/api/v1/downloads/once')
  })

  it('cancels one, and asks for it again', async () => {
    jobs = [aJob({ params: { format: 'csv', from: null, to: null, filters: { lot_id: 3 } } })]
    server.use(
      http.post('*/api/v1/jobs/5/cancel', () => {
        jobs = jobs.map((job) => ({ ...job, status: 'cancelled' }))
        return HttpResponse.json(jobs[0])
      }),
    )
    const { page } = await openPage(ExportsView, '/admin/exports')
    await settled(() => page.find('progress').exists())
    expect(page.text()).toContain('CSV · filtered')
    press('Cancel')
    await settled(() => page.text().includes('Cancelled'))
    press('Again')
    await settled(() => sent.length > 0)
    expect(sent).toEqual([{ kind: 'reservations', format: 'csv', filters: { lot_id: 3 } }])
  })

  it('offers no file that is gone', async () => {
    jobs = [aJob({ status: 'done', progress: 100 })]
    const { page } = await openPage(ExportsView, '/admin/exports')
    await settled(() => page.text().includes('Expired'))
    expect(page.text()).not.toContain('Download')
  })
})
