import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OperatorReport } from '@/api/operator-reports'
import { press } from '@/test/dialog'
import { openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import { saveFrom } from '@/lib/save-file'
import ReportsView from './ReportsView.vue'

const toast = vi.hoisted(() => ({ done: vi.fn(), failed: vi.fn(), unexpected: vi.fn() }))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))
vi.mock('@/lib/save-file', () => ({ saveFrom: vi.fn() }))

useServer()
enableAutoUnmount(afterEach)

const aReport = (change: Partial<OperatorReport> = {}): OperatorReport => ({
  id: 9,
  audience: 'operator',
  month: '2026-10',
  timezone: 'Europe/Berlin',
  status: 'ready',
  facts: {
    visits: 1204,
    minutes: null,
    bookings: 1300,
    walk_ins: 12,
    cancelled: 31,
    no_shows: 8,
    occupancy_percent: 62,
    money: [
      {
        currency: 'EUR',
        spent_minor: null,
        tax_minor: null,
        revenue_minor: 1_250_000,
        received_minor: 1_300_000,
        refunded_minor: 50_000,
        service_minor: 1_240_000,
      },
    ],
    lots: [],
  },
  files: ['pdf', 'xlsx'],
  sent_count: 0,
  created_at: '2026-11-01T05:00:00Z',
  finished_at: '2026-11-01T05:01:00Z',
  ...change,
})

let reports: OperatorReport[]
const asked: string[] = []

beforeEach(() => {
  vi.clearAllMocks()
  reports = [aReport()]
  asked.length = 0
  server.use(
    http.get('*/api/v1/reports', ({ request }) => {
      asked.push(new URL(request.url).search)
      return HttpResponse.json({ items: reports, next_cursor: null, total: null })
    }),
  )
})

describe('ReportsView', () => {
  it("shows the operator's months with their figures", async () => {
    const { page } = await openPage(ReportsView, '/admin/reports')
    await settled(() => page.find('table').exists())
    expect(asked).toEqual(['?audience=operator&limit=12'])
    const text = page.find('table').text()
    for (const figure of ['October 2026', '€12,500.00', '1,204', '62%', '€500.00', '31 · 8']) {
      expect(text).toContain(figure)
    }
  })

  it('gives a file by a link', async () => {
    const sent: unknown[] = []
    server.use(
      http.post('*/api/v1/downloads', async ({ request }) => {
        sent.push(await request.json())
        return HttpResponse.json(
          { url: '/api/v1/downloads/once', expires_at: '2026-11-26T09:02:00Z' },
          { status: 201 },
        )
      }),
    )
    const { page } = await openPage(ReportsView, '/admin/reports')
    await settled(() => page.find('table').exists())
    press('PDF of October 2026')
    await settled(() => vi.mocked(saveFrom).mock.calls.length > 0)
    expect(sent).toEqual([{ report_id: 9, format: 'pdf' }])
  })

  it('mails one, and says when it was mailed often enough', async () => {
    server.use(
      http.post('*/api/v1/reports/9/send', () => HttpResponse.json(aReport({ sent_count: 1 })), {
        once: true,
      }),
      http.post('*/api/v1/reports/9/send', () => refuse(409, 'sent-often', 'Often enough.')),
    )
    const { page } = await openPage(ReportsView, '/admin/reports')
    await settled(() => page.find('table').exists())
    press('Mail me the report of October 2026')
    await settled(() => toast.done.mock.calls.length > 0)
    press('Mail me the report of October 2026')
    await settled(() => toast.failed.mock.calls.length > 0)
    expect(toast.done).toHaveBeenCalledExactlyOnceWith('The report is on its way to you')
    expect(toast.failed).toHaveBeenCalledExactlyOnceWith('Often enough.', 'report')
  })

  it('offers no file of one that is not made', async () => {
    reports = [aReport({ status: 'failed', facts: null, files: [] })]
    const { page } = await openPage(ReportsView, '/admin/reports')
    await settled(() => page.find('table').exists())
    expect(page.text()).toContain('Could not be made')
    expect(page.find('table button').exists()).toBe(false)
  })

  it('says when the first one comes', async () => {
    reports = []
    const { page } = await openPage(ReportsView, '/admin/reports')
    await settled(() => page.text().includes('No report yet'))
    expect(page.text()).toContain('on the first of next month at six in the morning')
  })
})
