import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Coupon } from '@/api/coupons'
import { dialog } from '@/test/dialog'
import { aCoupon } from '@/test/money'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import CouponsView from './CouponsView.vue'

useServer()
enableAutoUnmount(afterEach)

let coupons: Coupon[]
beforeEach(() => {
  coupons = [aCoupon()]
  server.use(
    http.get('*/api/v1/coupons', () =>
      HttpResponse.json({ items: coupons, next_cursor: null, total: coupons.length }),
    ),
  )
})

async function open() {
  const { page } = await openPage(CouponsView, '/admin/coupons')
  await settled(() => page.find('table').exists() || page.text().includes('No coupons yet'))
  const press = (name: string) =>
    given(page.findAll('button').find((each) => each.text() === name)).trigger('click')
  const type = (name: string, value: string) => {
    const input = given(dialog()?.querySelector<HTMLInputElement>(`input[name="${name}"]`))
    input.value = value
    input.dispatchEvent(new Event('input'))
  }
  const submit = () => {
    given(dialog()?.querySelector('form')).dispatchEvent(new Event('submit', { cancelable: true }))
  }
  return { page, press, type, submit }
}

describe('CouponsView', () => {
  it('makes a coupon, after it asked for what is missing', async () => {
    coupons = []
    const sent: unknown[] = []
    server.use(
      http.post('*/api/v1/coupons', async ({ request }) => {
        expect(request.headers.get('Idempotency-Key')).toBeTruthy()
        sent.push(await request.json())
        coupons = [aCoupon({ code: 'SPRING-10' })]
        return HttpResponse.json(coupons[0], { status: 201 })
      }),
    )
    const { page, press, type, submit } = await open()
    expect(page.text()).toContain('No coupons yet')
    await press('New coupon')
    await settled(() => dialog() !== null)
    submit()
    await settled(() => dialog()?.textContent?.includes('Use 3 to 40 letters') ?? false)
    expect(sent).toEqual([])
    type('code', 'spring-10')
    type('name', 'Spring')
    type('percent', '10')
    submit()
    await settled(() => page.text().includes('SPRING-10'))
    expect(sent).toEqual([
      {
        code: 'spring-10',
        name: 'Spring',
        percent_bp: 1000,
        amount_minor: null,
        lot_id: null,
        valid_from: null,
        valid_until: null,
        most_uses: null,
        most_uses_per_driver: null,
        active: true,
      },
    ])
  })

  it('changes only what drivers do not know', async () => {
    const sent: unknown[] = []
    server.use(
      http.patch('*/api/v1/coupons/4', async ({ request }) => {
        sent.push(await request.json())
        return HttpResponse.json(aCoupon())
      }),
    )
    const { press, type, submit } = await open()
    await press('Edit')
    await settled(() => dialog() !== null)
    expect(dialog()?.querySelector('input[name="code"]')).toBeNull()
    type('most_uses', '50')
    submit()
    await settled(() => sent.length > 0)
    expect(sent).toEqual([
      {
        name: 'Winter',
        valid_from: null,
        valid_until: null,
        most_uses: 50,
        most_uses_per_driver: null,
      },
    ])
  })

  it('switches one off, and says so', async () => {
    server.use(
      http.patch('*/api/v1/coupons/4', async ({ request }) => {
        expect(await request.json()).toEqual({ active: false })
        coupons = [aCoupon({ active: false })]
        return HttpResponse.json(coupons[0])
      }),
    )
    const { page, press } = await open()
    expect(page.text()).toContain('15%')
    await press('Switch off')
    await settled(() => page.text().includes('Switched off'))
    expect(page.text()).toContain('Switch on')
  })

  it('shows that the list did not load', async () => {
    server.use(http.get('*/api/v1/coupons', () => refuse(403, 'forbidden', 'Not yours.')))
    const { page } = await openPage(CouponsView, '/admin/coupons')
    await settled(() => page.text().includes('Not yours.'))
    expect(page.text()).toContain('Try again')
  })
})
