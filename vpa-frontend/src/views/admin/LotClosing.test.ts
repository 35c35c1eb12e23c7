import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClosingReport } from '@/api/closings'
import { anEditedLot } from '@/test/admin-lots'
import { aBay } from '@/test/bays'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import LotEditView from './LotEditView.vue'

useServer()
enableAutoUnmount(afterEach)

let report: ClosingReport
const sent: Record<string, unknown>[] = []
const keys: (string | null)[] = []

beforeEach(() => {
  sent.length = 0
  keys.length = 0
  report = {
    closings: null,
    affected: [
      {
        reservation_id: 7,
        code: 'VV-AAAA-1111',
        plate: 'DDAB1234',
        starts_at: '2026-12-01T08:00:00Z',
        ends_at: '2026-12-01T10:00:00Z',
        spot: 'A01',
        action: 'move',
        to_spot: 'B07',
        refund_minor: 0,
      },
      {
        reservation_id: 8,
        code: 'VV-BBBB-2222',
        plate: 'DDXY99',
        starts_at: '2026-12-01T08:00:00Z',
        ends_at: '2026-12-01T10:00:00Z',
        spot: 'A02',
        action: 'refund',
        to_spot: null,
        refund_minor: 400,
      },
      {
        reservation_id: 9,
        code: 'VV-CCCC-3333',
        plate: 'DDZZ1',
        starts_at: '2026-11-26T08:00:00Z',
        ends_at: '2026-11-26T22:00:00Z',
        spot: 'A03',
        action: 'stays',
        to_spot: null,
        refund_minor: 0,
      },
    ],
    moved: 1,
    refunded: 1,
    refund_minor: 400,
    currency: 'EUR',
    digest: 'first',
  }
  server.use(
    http.get('*/api/v1/lots/12', () =>
      HttpResponse.json(anEditedLot(), { headers: { ETag: '"v1"' } }),
    ),
    http.get('*/api/v1/lots/12/spots', () =>
      HttpResponse.json({ items: [aBay({ id: 3, label: 'A01' }), aBay({ id: 4, label: 'A02' })] }),
    ),
    http.get('*/api/v1/lots/12/closures', () => HttpResponse.json({ items: [] })),
    http.post('*/api/v1/lots/12/closings', async ({ request }) => {
      const body = (await request.json()) as Record<string, unknown>
      sent.push(body)
      keys.push(request.headers.get('Idempotency-Key'))
      if (body['dry_run'] === false && body['digest'] !== report.digest)
        return refuse(409, 'preview-outdated')
      return HttpResponse.json(report)
    }),
  )
})

async function open() {
  const { page } = await openPage(LotEditView, '/admin/lots/12?part=closing')
  await settled(() => page.find('.closing form').exists())
  const press = (name: string) =>
    given(page.findAll('button').find((each) => each.text() === name)).trigger('click')
  const show = () => page.find('.closing form').trigger('submit')
  return { page, press, show, text: () => page.text() }
}

describe('closing bays', () => {
  it('asks for what is missing before it asks the server', async () => {
    const { show, text } = await open()
    await show()
    await settled(() => text().includes('Choose one bay at least.'))
    expect(text()).toContain('Enter the reason')
    expect(sent).toEqual([])
  })

  it('shows what it does, and closes with the digest of just that', async () => {
    const { page, press, show, text } = await open()
    await page.findAll('.bays input')[0]?.setValue(true)
    await page.find('.closing input[name=reason]').setValue('Paint')
    await show()
    await settled(() => text().includes('VV-AAAA-1111'))
    expect(sent).toMatchObject([{ spot_ids: [3], reason: 'Paint', dry_run: true }])
    expect(text()).toContain('Moves to bay B07')
    expect(text()).toContain('Cancelled, €4.00 goes back')
    expect(text()).toContain('The car is in and may stay')
    await press('Close and tell 2 drivers')
    await settled(() => sent.length > 1 && !text().includes('VV-AAAA-1111'))
    expect(sent[1]).toMatchObject({ spot_ids: [3], dry_run: false, digest: 'first' })
    expect(new Set(keys).size).toBe(2)
  })

  it('shows the new outcome when bookings changed meanwhile, and closes nothing', async () => {
    const { page, press, show, text } = await open()
    await page.findAll('.closing input[value=whole]')[0]?.setValue()
    await page.find('.closing input[name=reason]').setValue('Paint')
    await show()
    await settled(() => text().includes('VV-AAAA-1111'))
    report = { ...report, digest: 'second', affected: report.affected.slice(1), moved: 0 }
    await press('Close and tell 2 drivers')
    await settled(() => text().includes('Bookings have changed since you looked'))
    expect(text()).not.toContain('VV-AAAA-1111')
    expect(sent.map(({ dry_run }) => dry_run)).toEqual([true, false, true])
    await press('Close and tell 1 driver')
    await settled(() => sent.length === 4)
    expect(sent[3]).toMatchObject({ spot_ids: null, digest: 'second' })
  })

  it('forgets what it showed when the wish is another one', async () => {
    const { page, show, text } = await open()
    await page.findAll('.bays input')[0]?.setValue(true)
    await page.find('.closing input[name=reason]').setValue('Paint')
    await show()
    await settled(() => text().includes('VV-AAAA-1111'))
    await page.findAll('.bays input')[1]?.setValue(true)
    await settled(() => !text().includes('VV-AAAA-1111'))
    expect(text()).not.toContain('Close and tell')
  })
})
