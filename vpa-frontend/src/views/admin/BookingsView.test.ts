import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reservation } from '@/api/reservations'
import { anEditedLot } from '@/test/admin-lots'
import { aBooking, aPayment } from '@/test/bookings'
import { dialog } from '@/test/dialog'
import { given, openPage, settled } from '@/test/page'
import { anAccount } from '@/test/people'
import { server, useServer } from '@/test/server'
import BookingsView from './BookingsView.vue'
import BookingView from './BookingView.vue'

useServer()
enableAutoUnmount(afterEach)

const asked: string[] = []
let booking: Reservation

beforeEach(() => {
  asked.length = 0
  booking = aBooking({ user_id: 1, allowed_actions: ['cancel'] })
  server.use(
    http.get('*/api/v1/reservations', ({ request }) => {
      const { search, searchParams } = new URL(request.url)
      asked.push(search)
      const items = searchParams.get('plate') === 'NOBODY' ? [] : [booking]
      return HttpResponse.json({ items, next_cursor: null, total: items.length })
    }),
    http.get('*/api/v1/lots/12', () => HttpResponse.json(anEditedLot())),
    http.get('*/api/v1/reservations/7', () => HttpResponse.json(booking)),
    http.get('*/api/v1/reservations/7/events', () =>
      HttpResponse.json({
        items: [
          { id: null, at: booking.created_at, kind: 'booked', facts: {}, by: 'driver' },
          {
            id: 2,
            at: booking.created_at,
            kind: 'paid',
            facts: { amount_minor: 400, currency: 'EUR', method: 'sandbox' },
            by: 'driver',
          },
          { id: 3, at: booking.created_at, kind: 'some-new-kind', facts: {}, by: 'system' },
        ],
      }),
    ),
    http.get('*/api/v1/payments', () =>
      HttpResponse.json({ items: [aPayment()], next_cursor: null, total: 1 }),
    ),
    http.get('*/api/v1/users/1', () => HttpResponse.json(anAccount({ name: 'Asha Rao' }))),
  )
})

describe('BookingsView', () => {
  it('tells a code from a plate, and days from moments', async () => {
    const { page } = await openPage(BookingsView, '/admin/bookings?q=vv8f3k29qx&lot=12')
    await settled(() => page.find('table').exists())
    expect(asked).toEqual(['?limit=50&code=VV-8F3K-29QX&lot_id=12'])
    await settled(() => page.text().includes('1 booking'))
    expect(page.find('tbody a').attributes('href')).toBe('/admin/bookings/7')
    expect(page.text()).toContain('Altmarkt')
    asked.length = 0
    const other = await openPage(
      BookingsView,
      '/admin/bookings?q=dd-ab%201234&status=held&from=2026-11-26&to=2026-11-26',
    )
    await settled(() => other.page.find('table').exists())
    await settled(() => asked.length > 1)
    expect(asked.at(-1)?.replaceAll('%3A', ':')).toBe(
      '?limit=50&plate=DDAB1234&status=held&from=2026-11-25T23:00:00Z&to=2026-11-26T23:00:00Z',
    )
  })

  it('keeps filters in the address, and clears them when nothing matches', async () => {
    const { page, router } = await openPage(BookingsView, '/admin/bookings?q=nobody')
    await settled(() => page.text().includes('No booking matches'))
    await page.find('select').setValue('no_show')
    await settled(() => router.currentRoute.value.fullPath.includes('no_show'))
    expect(router.currentRoute.value.fullPath).toBe('/admin/bookings?q=nobody&status=no_show')
    await given(page.findAll('button').find((each) => each.text() === 'Clear the filters')).trigger(
      'click',
    )
    await settled(() => router.currentRoute.value.fullPath === '/admin/bookings')
    expect(router.currentRoute.value.fullPath).toBe('/admin/bookings')
  })
})

async function openOne() {
  const { page } = await openPage(BookingView, '/admin/bookings/7')
  await settled(() => page.text().includes('Asha Rao') && page.text().includes('Payment 21'))
  const press = (name: string) =>
    given(page.findAll('button').find((each) => each.text() === name)).trigger('click')
  return { page, press }
}

describe('BookingView', () => {
  it('tells of the driver, the money and what happened, unknown kinds too', async () => {
    const { page } = await openOne()
    await settled(() => page.text().includes('some new kind'))
    expect(page.text()).toContain('VV-8F3K-29QX')
    expect(page.text()).toContain('Amount: €4.00')
    expect(page.text()).toContain('C05')
  })

  it('cancels for the operator after it was asked, and says that all goes back', async () => {
    const keys: (string | null)[] = []
    server.use(
      http.post('*/api/v1/reservations/7/cancel', async ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'))
        expect(await request.json()).toEqual({})
        booking = aBooking({ status: 'cancelled', refunded_minor: 400 })
        return HttpResponse.json(booking)
      }),
    )
    const { page, press } = await openOne()
    await press('Cancel the booking')
    await settled(() => dialog() !== null)
    expect(dialog()?.textContent).toContain('all of €4.00 goes back')
    const confirm = [...given(dialog()).querySelectorAll('button')].find(
      (each) => each.textContent?.trim() === 'Cancel the booking',
    )
    confirm?.click()
    confirm?.click()
    await settled(() => page.text().includes('Cancelled'))
    await settled(() => keys.length > 0)
    expect(keys).toHaveLength(1)
    expect(keys[0]).toBeTruthy()
  })

  it('says what is due before a car may leave, and lets it out with a reason only', async () => {
    booking = aBooking({
      status: 'overstayed',
      due_minor: 350,
      user_id: 1,
      allowed_actions: ['check-out'],
    })
    const sent: unknown[] = []
    server.use(
      http.post('*/api/v1/reservations/7/check-out', async ({ request }) => {
        const body = (await request.json()) as { let_out_reason?: string }
        sent.push(body)
        if (!body.let_out_reason) {
          return HttpResponse.json(
            {
              type: '/problems/payment-due',
              status: 409,
              title: 'Payment due',
              due_minor: 375,
              currency: 'EUR',
            },
            { status: 409 },
          )
        }
        booking = aBooking({ status: 'completed', debt_minor: 375, user_id: 1 })
        return HttpResponse.json(booking)
      }),
    )
    const { page, press } = await openOne()
    await press('Let out')
    await settled(() => dialog()?.textContent?.includes('€3.75') ?? false)
    const button = () =>
      given(
        [...given(dialog()).querySelectorAll('button')].find(
          (each) => each.textContent?.trim() === 'Let out unpaid',
        ),
      )
    button().click()
    await settled(() => dialog()?.textContent?.includes('Enter the reason') ?? false)
    expect(sent).toEqual([{}])
    const input = given(dialog()?.querySelector('input'))
    input.value = 'The barrier was broken'
    input.dispatchEvent(new Event('input'))
    button().click()
    await settled(() => page.text().includes('Let out with so much open'))
    expect(sent[1]).toEqual({ let_out_reason: 'The barrier was broken' })
  })
})
