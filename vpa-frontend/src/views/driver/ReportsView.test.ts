import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Report } from '@/api/reports'
import { nextReport } from '@/features/reports/months'
import { openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import ReportsView from './ReportsView.vue'

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
const saveFile = vi.hoisted(() => vi.fn())
vi.mock('@/lib/save-file', () => ({ saveFile }))

useServer()
enableAutoUnmount(afterEach)

function aReport(change: Partial<Report> = {}): Report {
  const facts = { bookings: null, walk_ins: null, cancelled: null, no_shows: null }
  const money = { revenue_minor: null, received_minor: null, service_minor: null }
  return {
    id: 4,
    audience: 'driver',
    month: '2026-10',
    timezone: 'Europe/Berlin',
    status: 'ready',
    facts: {
      ...facts,
      visits: 3,
      minutes: 150,
      occupancy_percent: null,
      money: [{ ...money, currency: 'EUR', spent_minor: 1250, tax_minor: 200, refunded_minor: 0 }],
      lots: [{ name: 'Altmarkt', visits: 3, currency: 'EUR', amount_minor: 1250 }],
    },
    files: ['pdf', 'xlsx'],
    sent_count: 0,
    created_at: '2026-11-01T05:00:00Z',
    finished_at: '2026-11-01T05:01:00Z',
    ...change,
  }
}

let reports: Report[]
beforeEach(() => {
  for (const said of Object.values(toast)) said.mockReset()
  saveFile.mockReset()
  reports = [aReport()]
  server.use(
    http.get('*/api/v1/reports', () =>
      HttpResponse.json({ items: reports, next_cursor: null, total: null }),
    ),
  )
})

async function open() {
  const { page } = await openPage(ReportsView, '/reports')
  await settled(() => page.findAll('[role=status]').length === 0)
  const press = async (name: string) => {
    await page.get(`button[aria-label="${name}"]`).trigger('click')
  }
  return { page, press, text: () => page.text().replace(/\s+/g, ' ') }
}

describe('the monthly reports', () => {
  it('tell what each month came to', async () => {
    const { text } = await open()
    expect(text()).toContain('October 2026')
    expect(text()).toContain('€12.50')
    expect(text()).toContain('2 h 30 min')
    expect(text()).toContain('Altmarkt · 3 visits · €12.50')
    expect(text()).toMatch(/The next one comes on 1 \w+ \d{4}/)
  })

  it('say when the first one comes', async () => {
    reports = []
    const { text } = await open()
    expect(text()).toContain('No report yet')
    expect(text()).toMatch(/Your next one comes on 1 \w+ \d{4}, if a stay of yours ends in \w+\./)
  })

  it('say of one that is not there why', async () => {
    reports = [
      aReport({ status: 'failed', facts: null, files: [] }),
      aReport({ id: 3, month: '2026-09', status: 'running', facts: null, files: [] }),
    ]
    const { page, text } = await open()
    expect(text()).toContain('Something went wrong with this one.')
    expect(text()).toContain('It is here in a few minutes.')
    expect(page.findAll('li button')).toHaveLength(0)
  })

  it('are fetched as PDF and for a spreadsheet', async () => {
    server.use(
      http.get('*/api/v1/reports/4.pdf', () => HttpResponse.text('%PDF')),
      http.get('*/api/v1/reports/4.xlsx', () => HttpResponse.text('PK')),
    )
    const { press } = await open()
    await press('PDF of October 2026')
    await settled(() => saveFile.mock.calls.length === 1)
    await press('Excel file of October 2026')
    await settled(() => saveFile.mock.calls.length === 2)
    expect(saveFile.mock.calls.map(([, name]) => String(name))).toEqual([
      'parking-2026-10.pdf',
      'parking-2026-10.xlsx',
    ])
  })

  it('are mailed again, and not without end', async () => {
    server.use(
      http.post('*/api/v1/reports/4/send', () => {
        reports = [aReport({ sent_count: 5 })]
        return HttpResponse.json(reports[0])
      }),
    )
    const { page, press, text } = await open()
    await press('Mail me October 2026')
    await settled(() => text().includes('It was mailed as often as it can be.'))
    expect(toast.done).toHaveBeenCalledOnce()
    expect(page.find('button[aria-label="Mail me October 2026"]').exists()).toBe(false)
  })

  it('say what went wrong', async () => {
    server.use(http.post('*/api/v1/reports/4/send', () => refuse(409, 'sent-often', 'Often.')))
    const { press } = await open()
    await press('Mail me October 2026')
    await settled(() => toast.failed.mock.calls.length === 1)
    expect(toast.failed).toHaveBeenCalledWith(expect.any(String), 'report')
  })
})

describe('the next report', () => {
  it.each([
    ['2026-11-27T12:00:00Z', 'Europe/Berlin', '1 December 2026', 'November'],
    ['2026-12-15T12:00:00Z', 'Europe/Berlin', '1 January 2027', 'December'],
    // Five in the morning of the first, and six.
    ['2027-01-01T04:59:00Z', 'Europe/Berlin', '1 January 2027', 'December'],
    ['2027-01-01T05:00:00Z', 'Europe/Berlin', '1 February 2027', 'January'],
    // It is the first already in Kolkata.
    ['2026-11-30T20:00:00Z', 'Asia/Kolkata', '1 December 2026', 'November'],
  ])('after %s in %s comes on %s', (now, zone, date, month) => {
    expect(nextReport(new Date(now), zone, 'en-GB')).toEqual({ date, month })
  })
})
