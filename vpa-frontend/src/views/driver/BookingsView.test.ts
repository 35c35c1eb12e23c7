import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reservation } from '@/api/reservations'
import type { WaitlistEntry } from '@/api/waitlist'
import { aBooking, aHold, inHours } from '@/test/bookings'
import { dialog, press } from '@/test/dialog'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import BookingsView from './BookingsView.vue'

useServer()
enableAutoUnmount(afterEach)

/** Where the driver waits. */
let waiting: WaitlistEntry[]
beforeEach(() => {
  waiting = []
  server.use(
    http.get('*/api/v1/waitlist', () =>
      HttpResponse.json({ items: waiting, next_cursor: null, total: waiting.length }),
    ),
  )
})

/** The queries with which bookings were asked for, in order. */
const asked: string[] = []

afterEach(() => {
  asked.length = 0
})

function answer(...items: Reservation[]): void {
  server.use(
    http.get('*/api/v1/reservations', ({ request }) => {
      asked.push(new URL(request.url).search)
      return HttpResponse.json({ items, next_cursor: null, total: items.length })
    }),
  )
}

async function open(path = '/bookings') {
  const opened = await openPage(BookingsView, path)
  const { page } = opened
  await settled(() => !page.text().includes('Loading'))
  return {
    ...opened,
    link: (name: string) =>
      page
        .findAll('a')
        .find((each) => (each.attributes('aria-label') ?? each.text()).startsWith(name)),
  }
}

describe('BookingsView', () => {
  it('asks for what is ahead, and shows the booking whose time is now apart, with its ticket', async () => {
    answer(
      aBooking({ id: 1, starts_at: inHours(-1), ends_at: inHours(1) }),
      aBooking({ id: 2, lot: { ...aBooking().lot, name: 'Semperoper' } }),
    )
    const { page, link } = await open()
    expect(asked[0]).toContain('when=upcoming')
    expect(page.text()).toContain('2 bookings')
    expect(page.findAll('h2').map((heading) => heading.text())).toEqual(['Altmarkt', 'Semperoper'])
    expect(page.findAll('li')[0]?.text()).toContain('Under way')
    expect(page.findAll('li')[0]?.text()).toMatch(/1 h\s*left/)
    expect(page.findAll('li')[1]?.text()).toContain('Booked')
    expect(page.findAll('li')[1]?.text()).toContain('€4.00 paid')
    expect(link('Ticket: Semperoper')?.attributes('href')).toBe('/bookings/2')
  })

  it('leads from an unpaid bay to where it is paid, with everything that was chosen', async () => {
    const hold = aHold()
    answer(hold)
    const { page, link } = await open()
    expect(page.text()).toContain('Not paid yet')
    expect(page.text()).toMatch(/Pay within [56]:\d\d/)
    expect(page.text()).toContain('€4.00 to pay')
    const target = new URL(given(link('Pay now')?.attributes('href')), 'http://here')
    expect(target.pathname).toBe('/lots/12')
    expect(Object.fromEntries(target.searchParams)).toEqual({
      from: hold.starts_at,
      to: hold.ends_at,
      vehicle: '4',
      hold: '7',
    })
  })

  it('offers only what the API allows', async () => {
    answer(aHold({ allowed_actions: [] }))
    const { page, link } = await open()
    expect(link('Pay now')).toBeUndefined()
    expect(page.text()).not.toContain('Release')
  })

  it('releases a bay after a question, and lists anew', async () => {
    let released = 0
    answer(aHold())
    server.use(
      http.post('*/api/v1/reservations/7/cancel', () => {
        released++
        answer()
        return HttpResponse.json(aBooking({ status: 'cancelled' }))
      }),
    )
    const { page } = await open()
    const button = (root: ParentNode) =>
      [...root.querySelectorAll('button')].find((each) => each.textContent?.includes('Release'))
    given(button(page.element)).click()
    await settled(() => document.querySelector('[role=dialog]') !== null)
    const dialog = given(document.querySelector('[role=dialog]'))
    expect(dialog.textContent).toContain('Release bay C05?')
    expect(released).toBe(0)
    given(button(dialog)).click()
    await settled(() => page.text().includes('Nothing booked'))
    expect(released).toBe(1)
    expect(page.text()).toContain('Nothing booked')
  })

  it('says in the dialog why a bay was not released, and keeps it', async () => {
    answer(aHold())
    server.use(
      http.post('*/api/v1/reservations/7/cancel', () =>
        refuse(409, 'illegal-transition', 'It is paid by now.'),
      ),
    )
    const { page } = await open()
    const button = (root: ParentNode) =>
      [...root.querySelectorAll('button')].find((each) => each.textContent?.includes('Release'))
    given(button(page.element)).click()
    await settled(() => document.querySelector('[role=dialog]') !== null)
    given(button(given(document.querySelector('[role=dialog]')))).click()
    await settled(() => document.querySelector('[role=alert]') !== null)
    expect(document.querySelector('[role=dialog] [role=alert]')?.textContent).toContain(
      'It is paid by now.',
    )
  })

  it('offers to book a past stay again: same lot, vehicle and length, and a time to come', async () => {
    answer(
      aBooking({
        status: 'completed',
        starts_at: '2026-01-07T08:00:00Z',
        ends_at: '2026-01-07T11:00:00Z',
      }),
    )
    const { page, link } = await open('/bookings?show=past')
    expect(asked[0]).toContain('when=past')
    expect(page.text()).toContain('Completed')
    const target = new URL(given(link('Book again')?.attributes('href')), 'http://here')
    const query = Object.fromEntries(target.searchParams)
    expect(target.pathname).toBe('/lots/12')
    expect(query['vehicle']).toBe('4')
    expect(Date.parse(given(query['to'])) - Date.parse(given(query['from']))).toBe(3 * 3_600_000)
    expect(Date.parse(given(query['from']))).toBeGreaterThan(Date.now())
  })

  it('keeps in the address which bookings are shown', async () => {
    answer(aBooking())
    const { page, router } = await open()
    await given(page.findAll('input[type=radio]')[2]).setValue(true)
    await settled(() => asked.length > 1)
    expect(router.currentRoute.value.fullPath).toBe('/bookings?show=all')
    expect(asked[1]).not.toContain('when=')
  })

  it('shows more when there is more', async () => {
    server.use(
      http.get('*/api/v1/reservations', ({ request }) => {
        const isSecond = new URL(request.url).searchParams.get('cursor') === 'next'
        return HttpResponse.json({
          items: [aBooking({ id: isSecond ? 2 : 1 })],
          next_cursor: isSecond ? null : 'next',
          total: 2,
        })
      }),
    )
    const { page } = await open()
    const more = () => page.findAll('button').find((each) => each.text() === 'Show more')
    expect(page.findAll('li')).toHaveLength(1)
    await given(more()).trigger('click')
    await settled(() => page.findAll('li').length === 2)
    expect(page.findAll('li')).toHaveLength(2)
    expect(more()).toBeUndefined()
  })

  it('says what to do when nothing is booked', async () => {
    answer()
    const { page } = await open()
    expect(page.text()).toContain('Nothing booked')
    const links = new Set(page.findAll('a').map((each) => each.attributes('href')))
    expect([...links].sort()).toEqual(['/', '/reports'])
  })

  it('says when the list did not come, and asks again', async () => {
    server.use(http.get('*/api/v1/reservations', () => refuse(503, 'service-unavailable')))
    const { page } = await open()
    await settled(() => page.find('[role=alert]').exists())
    expect(page.find('[role=alert]').text()).toContain('The server does not answer.')
    answer(aBooking())
    await page.find('[role=alert] button').trigger('click')
    await settled(() => page.findAll('li').length > 0)
    expect(page.findAll('h2')[0]?.text()).toBe('Altmarkt')
    expect(page.find('[role=alert]').exists()).toBe(false)
  })
})

describe('money and cancelled bookings in the list', () => {
  it('says what is owed of a stay, and leads to where it is paid', async () => {
    answer(
      aBooking({
        status: 'completed',
        starts_at: inHours(-4),
        ends_at: inHours(-2),
        due_minor: 250,
        debt_minor: 250,
        allowed_actions: ['pay'],
      }),
    )
    const { page, link } = await open('/bookings?show=past')
    expect(page.text()).toContain('Not all paid')
    expect(page.text()).toContain('€2.50 to pay')
    expect(link('Pay now')?.attributes('href')).toBe('/bookings/7')
  })

  it('tells a cancelled booking from one that was let go', async () => {
    answer(
      aBooking({ id: 1, status: 'cancelled', refunded_minor: 300 }),
      aBooking({ id: 2, status: 'cancelled', paid_minor: 0 }),
    )
    const { page } = await open('/bookings?show=past')
    expect(page.findAll('li')[0]?.text()).toContain('Cancelled')
    expect(page.findAll('li')[0]?.text()).toContain('€3.00 refunded')
    expect(page.findAll('li')[1]?.text()).toContain('Released')
  })
})

describe('the waitlist', () => {
  const entry = (change: Partial<WaitlistEntry> = {}): WaitlistEntry => ({
    id: 6,
    lot: { id: 12, name: 'Altmarkt', timezone: 'Europe/Berlin' },
    vehicle: { id: 4, plate: 'DDAB1234' },
    starts_at: inHours(2),
    ends_at: inHours(4),
    spot_kind: null,
    status: 'waiting',
    position: 3,
    reservation_id: null,
    hold_expires_at: null,
    created_at: inHours(-1),
    ...change,
  })

  it('tells the place in the queue, and lets it go after a question', async () => {
    waiting = [entry(), entry({ id: 5, status: 'left' })]
    server.use(
      http.delete('*/api/v1/waitlist/6', () => {
        waiting = []
        return new HttpResponse(null, { status: 204 })
      }),
    )
    answer()
    const { page } = await open()
    await settled(() => page.text().includes('Number 3 in the queue'))
    expect(page.findAll('.waitlist li')).toHaveLength(1)
    press('Leave the list: Altmarkt, ' + given(page.find('.waitlist li p').text()))
    await settled(() => dialog() !== null)
    press('Leave the list', given(dialog()))
    await settled(() => !page.find('.waitlist').exists())
    expect(page.find('.waitlist').exists()).toBe(false)
  })

  it('counts down to the end of an offer, which stands first, and leads to its payment', async () => {
    waiting = [
      entry(),
      entry({
        id: 7,
        status: 'offered',
        position: null,
        reservation_id: 70,
        hold_expires_at: inHours(0.2),
      }),
    ]
    answer()
    const { page, link } = await open()
    await settled(() => page.find('.waitlist').exists())
    expect(page.findAll('.waitlist li')[0]?.text()).toMatch(/A bay is held for you for 1[12]:\d\d/)
    const href = given(link('Pay and take it')?.attributes('href'))
    expect(href).toMatch(/^\/lots\/12\?/)
    expect(href).toContain('hold=70')
  })

  it('does not show when nobody waits', async () => {
    answer()
    const { page } = await open()
    expect(page.find('.waitlist').exists()).toBe(false)
  })
})
