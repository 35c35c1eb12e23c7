import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AdminPayment, Refund } from '@/api/admin-payments'
import { dialog } from '@/test/dialog'
import { anAdminPayment, aRefund } from '@/test/money'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import LedgerView from './LedgerView.vue'
import PaymentsView from './PaymentsView.vue'
import PaymentView from './PaymentView.vue'

useServer()
enableAutoUnmount(afterEach)

const asked: string[] = []
let payment: AdminPayment
let refunds: Refund[]

beforeEach(() => {
  asked.length = 0
  payment = anAdminPayment()
  refunds = []
  server.use(
    http.get('*/api/v1/payments', ({ request }) => {
      const { search, searchParams } = new URL(request.url)
      asked.push(search)
      const items =
        searchParams.get('status') === 'review'
          ? [
              anAdminPayment({ id: 22, status: 'review', review_reason: 'amount_mismatch' }),
              anAdminPayment({ id: 23, status: 'review', review_reason: 'no_use' }),
            ]
          : [payment]
      return HttpResponse.json({ items, next_cursor: null, total: items.length })
    }),
    http.get('*/api/v1/payments/21', () => HttpResponse.json(payment)),
    http.get('*/api/v1/payments/21/refunds', () => HttpResponse.json({ items: refunds })),
  )
})

describe('PaymentsView', () => {
  it('asks for what the address says, and tells of those that wait for a decision', async () => {
    const { page, router } = await openPage(
      PaymentsView,
      '/admin/payments?status=succeeded&method=cash&code=vv-8f3k-29qx',
    )
    await settled(() => page.find('table').exists() && page.text().includes('waits for your'))
    expect(asked).toContain('?limit=50&code=VV-8F3K-29QX&status=succeeded&method=cash')
    expect(page.text()).toContain('1 payment waits for your decision')
    await given(page.findAll('button').find((each) => each.text() === 'Look at them')).trigger(
      'click',
    )
    await settled(() => page.text().includes('Payment 22'))
    expect(router.currentRoute.value.fullPath).toBe('/admin/payments?status=review')
    expect(page.text()).not.toContain('waits for your decision')
  })
})

async function openOne() {
  const { page } = await openPage(PaymentView, '/admin/payments/21')
  await settled(() => page.text().includes('Can still go back'))
  const press = (name: string) =>
    given(page.findAll('button').find((each) => each.text() === name)).trigger('click')
  const buttonOf = (name: string) =>
    given(
      [...given(dialog()).querySelectorAll('button')].find((each) =>
        each.textContent?.trim().startsWith(name),
      ),
    )
  const type = (name: string, value: string) => {
    const input = given(dialog()?.querySelector<HTMLInputElement>(`input[name="${name}"]`))
    input.value = value
    input.dispatchEvent(new Event('input'))
  }
  const submit = () => {
    given(dialog()?.querySelector('form')).dispatchEvent(new Event('submit', { cancelable: true }))
  }
  return { page, press, buttonOf, type, submit }
}

describe('PaymentView', () => {
  it('refunds a part with its reason once, however often it is pressed', async () => {
    const sent: unknown[] = []
    const keys: (string | null)[] = []
    server.use(
      http.post('*/api/v1/payments/21/refunds', async ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'))
        sent.push(await request.json())
        refunds = [aRefund({ amount_minor: 150, status: 'pending', settled_at: null })]
        payment = anAdminPayment({ status: 'partially_refunded', refunded_minor: 150 })
        return HttpResponse.json(refunds[0], { status: 201 })
      }),
    )
    const { page, press, type, submit } = await openOne()
    await press('Refund')
    await settled(() => dialog()?.textContent?.includes('At most €4.00') ?? false)
    given(dialog()?.querySelector<HTMLInputElement>('input[value=part]')).click()
    await settled(() => Boolean(dialog()?.querySelector('input[name="amount"]')))
    type('amount', '1,50')
    type('reason', ' The lift was broken ')
    submit()
    submit()
    await settled(() => page.text().includes('The lift was broken'))
    expect(sent).toEqual([{ amount_minor: 150, reason: 'The lift was broken' }])
    expect(keys[0]).toBeTruthy()
    expect(page.text()).toContain('Partly refunded')
    expect(page.text()).toContain('Credit note C-2026-000005')
    expect(page.text()).toContain('€2.50')
  })

  it('takes no more than is left, and shows it when less is left by now', async () => {
    server.use(
      http.post('*/api/v1/payments/21/refunds', () =>
        refuse(409, 'refund-exceeds-payment', 'At most €1.00 can go back.'),
      ),
    )
    const { press, type, submit } = await openOne()
    await press('Refund')
    await settled(() => dialog() !== null)
    given(dialog()?.querySelector<HTMLInputElement>('input[value=part]')).click()
    await settled(() => Boolean(dialog()?.querySelector('input[name="amount"]')))
    type('amount', '4.01')
    submit()
    await settled(() => dialog()?.textContent?.includes('Enter at most €4.00') ?? false)
    expect(dialog()?.textContent).toContain('Enter the reason')
    type('amount', '4')
    type('reason', 'Goodwill')
    submit()
    await settled(() => dialog()?.textContent?.includes('At most €1.00') ?? false)
    expect(dialog()?.querySelector('[aria-invalid="true"]')).toBeTruthy()
  })

  it('accepts or gives back what was not asked for', async () => {
    payment = anAdminPayment({
      status: 'review',
      review_reason: 'amount_mismatch',
      received_minor: 350,
      receipt_number: null,
    })
    const sent: unknown[] = []
    server.use(
      http.post('*/api/v1/payments/21/review', async ({ request }) => {
        sent.push(await request.json())
        payment = anAdminPayment({ amount_minor: 350 })
        return HttpResponse.json(payment)
      }),
    )
    const { page, press, buttonOf } = await openOne()
    expect(page.text()).toContain('€4.00 was asked for, and €3.50 came.')
    await press('Accept it')
    await settled(() => dialog() !== null)
    buttonOf('Accept it').click()
    await settled(() => sent.length > 0 && !page.text().includes('was asked for'))
    expect(sent).toEqual([{ decision: 'accept' }])
  })
})

describe('LedgerView', () => {
  it('shows balances that make nothing, and the entries of a booking', async () => {
    server.use(
      http.get('*/api/v1/ledger/balances', () =>
        HttpResponse.json({
          items: [
            { account: 'gateway:sandbox', balance_minor: 400, currency: 'EUR' },
            { account: 'reservations', balance_minor: -400, currency: 'EUR' },
          ],
        }),
      ),
      http.get('*/api/v1/ledger', ({ request }) => {
        asked.push(new URL(request.url).search)
        return HttpResponse.json({
          items: [
            {
              id: 1,
              transaction_id: 1,
              at: '2026-11-25T08:00:00Z',
              kind: 'payment',
              account: 'gateway:sandbox',
              amount_minor: 400,
              currency: 'EUR',
              reservation_id: 7,
              payment_id: 21,
              refund_id: null,
            },
          ],
          next_cursor: null,
          total: 1,
        })
      }),
    )
    const { page } = await openPage(LedgerView, '/admin/ledger?reservation=7&account=cash')
    await settled(() => page.find('table').exists() && page.text().includes('All together'))
    expect(asked).toEqual(['?limit=50&account=cash&reservation_id=7'])
    expect(page.text()).toContain('At Sandbox')
    expect(page.text()).toContain('€0.00')
    expect(page.text()).not.toContain('do not add up')
  })
})
