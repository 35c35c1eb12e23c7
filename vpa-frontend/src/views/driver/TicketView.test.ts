import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import jsQR from 'jsqr'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Payment } from '@/api/payments'
import type { Reservation, Ticket } from '@/api/reservations'
import type { Review } from '@/api/reviews'
import { aBooking, aHold, anEvent, aPayment, inHours } from '@/test/bookings'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import TicketView from './TicketView.vue'

useServer()
enableAutoUnmount(afterEach)

const PAYLOAD = `${'eyJhbGciOiJFZERTQSIsImtpZCI6InRwZ0xFZXVQclBzIn0'}.${'x'.repeat(120)}.${'y'.repeat(86)}`

/** What is known beside the booking itself; each test says what it needs. */
let events = [anEvent()]
let reviews: Review[] = []
afterEach(() => {
  events = [anEvent()]
  reviews = []
})

function answer(booking: Reservation, payments: Payment[] = [aPayment()]): void {
  const ticket: Ticket = {
    reservation_id: booking.id,
    code: booking.code,
    payload: PAYLOAD,
    valid_from: inHours(1.75),
    valid_until: inHours(4.2),
  }
  server.use(
    http.get('*/api/v1/reservations/7', () => HttpResponse.json(booking)),
    http.get('*/api/v1/reservations/7/ticket', () =>
      booking.status === 'confirmed'
        ? HttpResponse.json(ticket)
        : refuse(409, 'illegal-transition', 'There is a ticket once the booking is paid.'),
    ),
    http.get('*/api/v1/reservations/7/events', () => HttpResponse.json({ items: events })),
    http.get('*/api/v1/reviews', () =>
      HttpResponse.json({ items: reviews, next_cursor: null, total: reviews.length }),
    ),
    http.get('*/api/v1/payments', () =>
      HttpResponse.json({ items: payments, next_cursor: null, total: payments.length }),
    ),
  )
}

async function open() {
  const { page } = await openPage(TicketView, '/bookings/7')
  await settled(() => page.text().includes('Activity'))
  // Its other parts come one by one.
  await vi.dynamicImportSettled()
  await flushPromises()
  return page
}

const qr = 'svg[aria-label^="QR code"]'

/** Reads the code off the page, as a camera would. */
function scan(svg: Element): string | undefined {
  const modules = Number(given(svg.getAttribute('viewBox')).split(' ')[2])
  const pixels = Math.round(Number(svg.getAttribute('width')) / modules)
  const side = modules * pixels
  const image = new Uint8ClampedArray(side * side * 4).fill(255)
  const path = given(svg.querySelector('path')?.getAttribute('d'))
  for (const run of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    const [x, y, length] = run.slice(1).map((each) => Number(each) * pixels) as [
      number,
      number,
      number,
    ]
    for (let row = y; row < y + pixels; row++) {
      image.fill(0, (row * side + x) * 4, (row * side + x + length) * 4 - 1)
    }
  }
  for (let alpha = 3; alpha < image.length; alpha += 4) image[alpha] = 255
  return jsQR(image, side, side)?.data
}

describe('TicketView', () => {
  it('shows the signed ticket as a code that reads back, with everything that a gate asks for', async () => {
    answer(aBooking())
    const page = await open()
    await settled(() => page.find(qr).exists())
    expect(scan(page.find(qr).element)).toBe(PAYLOAD)
    const paper = page.find('article').text()
    for (const said of ['Booked', 'VV-8F3K-29QX', 'Altmarkt 1, Dresden', 'B1', 'C05', 'DDAB1234']) {
      expect(paper).toContain(said)
    }
    expect(page.find('h1').text()).toBe('Altmarkt')
    expect(page.find('[role=timer]').attributes('aria-label')).toMatch(
      /^Starts in (2 h|1 h 59 min)$/,
    )
  })

  it('shows the price line by line, what was paid, and what happened', async () => {
    answer(aBooking(), [
      aPayment(),
      aPayment({
        id: 20,
        status: 'failed',
        settled_at: inHours(-23.95),
        receipt_number: null,
        failure: { code: 'card_declined', message: 'The card was declined.' },
      }),
    ])
    const page = await open()
    const cards = page.findAll('section').map((card) => card.text())
    const payment = given(cards.find((card) => card.startsWith('Payment')))
    expect(payment).toMatch(
      /first 60 min\s*€2\.00.*2 × 30 min\s*€2\.00.*Total\s*€4\.00.*VAT 19%\s*€0\.64.*Paid\s*€4\.00/s,
    )
    const activity = given(cards.find((card) => card.startsWith('Activity')))
    expect(activity).toMatch(/Paid €4\.00.*The card was declined\..*Booked bay C05/s)
  })

  it('saves a receipt under its number, and says so when it does not come', async () => {
    answer(aBooking())
    const names: string[] = []
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      names.push(this.download)
    })
    let isBroken = true
    server.use(
      http.get('*/api/v1/payments/21/receipt.pdf', () =>
        isBroken
          ? refuse(503, 'service-unavailable')
          : new HttpResponse('%PDF-1.7', { headers: { 'Content-Type': 'application/pdf' } }),
      ),
    )
    const page = await open()
    const button = page.find('[aria-label="Download receipt R-2026-000021"]')
    await button.trigger('click')
    await settled(() => page.find('[role=alert]').exists())
    expect(page.find('[role=alert]').text()).toContain('The receipt did not load')
    expect(names).toEqual([])
    isBroken = false
    await button.trigger('click')
    await settled(() => names.length > 0)
    expect(names).toEqual(['R-2026-000021.pdf'])
    expect(page.find('[role=alert]').exists()).toBe(false)
  })

  it('has no code before it is paid, and the way to pay', async () => {
    answer(aHold(), [])
    const page = await open()
    expect(page.find(qr).exists()).toBe(false)
    expect(page.text()).toMatch(/Bay C05 is kept for you for [56]:\d\d/)
    const pay = given(page.findAll('a').find((each) => each.text().startsWith('Pay now')))
    expect(pay.attributes('href')).toContain('hold=7')
    expect(page.text()).toContain('Release the bay')
  })

  it.each([
    ['cancelled', 'This booking is cancelled'],
    ['expired', 'It was not paid in time'],
    ['completed', 'This stay is over'],
    ['no_show', 'This booking was not used'],
  ] as const)(
    'says why a booking that is %s has no code, and offers another',
    async (status, why) => {
      answer(aBooking({ status }), [])
      const page = await open()
      expect(page.text()).toContain(why)
      expect(page.find(qr).exists()).toBe(false)
      const again = given(page.findAll('a').find((each) => each.text() === 'Book again'))
      expect(again.attributes('href')).toMatch(/^\/lots\/12\?from=.*&vehicle=4$/)
    },
  )

  it('stops offering to pay at the very deadline', async () => {
    answer(aHold({ hold_expires_at: new Date(Date.now() + 1500).toISOString() }), [])
    const page = await open()
    expect(page.text()).toContain('Not paid yet')
    await new Promise((resolve) => setTimeout(resolve, 2600))
    expect(page.text()).toContain('It was not paid in time')
    expect(page.text()).not.toContain('Pay now')
  })

  it('says so when there is no such booking, or it is somebody else’s', async () => {
    server.use(http.get('*/api/v1/reservations/7', () => refuse(404, 'not-found')))
    const { page } = await openPage(TicketView, '/bookings/7')
    await settled(() => page.text().includes('no such booking'))
    expect(page.findAll('h1').map((heading) => heading.text())).toEqual([
      'There is no such booking',
    ])
    expect(document.title).toContain('There is no such booking')
  })

  it('tries again when the ticket did not come, and shows the rest meanwhile', async () => {
    answer(aBooking())
    server.use(
      http.get('*/api/v1/reservations/7/ticket', () => refuse(503, 'service-unavailable'), {
        once: true,
      }),
    )
    const page = await open()
    await settled(() => page.find('article [role=alert]').exists())
    expect(page.find('article').text()).toContain('C05')
    await page.find('article [role=alert] button').trigger('click')
    await settled(() => page.find(qr).exists())
    expect(page.find(qr).exists()).toBe(true)
  })
})
