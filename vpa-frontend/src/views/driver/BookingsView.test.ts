import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it } from 'vitest'
import type { Reservation } from '@/api/reservations'
import { aBooking, aHold, inHours } from '@/test/bookings'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import BookingsView from './BookingsView.vue'

useServer()
enableAutoUnmount(afterEach)

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
    expect(page.findAll('a').every((each) => each.attributes('href') === '/')).toBe(true)
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
