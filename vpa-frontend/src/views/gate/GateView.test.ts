import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Reservation } from '@/api/reservations'
import { loadWords } from '@/i18n'
import { aBooking, aPayment } from '@/test/bookings'
import { openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import GateLotsView from './GateLotsView.vue'
import GateView from './GateView.vue'

useServer()
enableAutoUnmount(afterEach)

const LOT = {
  id: 12,
  name: 'Altmarkt',
  address: 'Altmarkt 1',
  city: 'Dresden',
  timezone: 'Europe/Berlin',
  status: 'open',
  allows_reentry: false,
}
const list = (items: unknown[]) => HttpResponse.json({ items, next_cursor: null, total: null })

let sent: unknown[]
let inside: Reservation[]
beforeEach(async () => {
  localStorage.clear()
  await loadWords('gate')
  sent = []
  inside = []
  server.use(
    http.get('*/api/v1/gate/lots', () => list([LOT])),
    http.get('*/api/v1/tickets/keys', () => HttpResponse.json({ keys: [] })),
    http.get('*/api/v1/gate/present', () => list(inside)),
  )
})

/** Answers each scan in turn. */
function answer(...answers: (() => Response)[]): void {
  server.use(
    http.post('*/api/v1/gate/scan', async ({ request }) => {
      sent.push(await request.json())
      return (answers.shift() ?? (() => refuse(409, 'entry-refused')))()
    }),
  )
}
const opened = (result: 'entered' | 'left') => () =>
  HttpResponse.json({ result, reservation: aBooking(), message: 'Bay C05, until 18:00.' })
const due = () =>
  HttpResponse.json(
    {
      type: '/problems/payment-due',
      status: 409,
      title: 'To pay',
      detail: '€2.00 is to be paid before leaving.',
      due_minor: 200,
      currency: 'EUR',
      reservation_id: 7,
      code: 'VV-8F3K-29QX',
      plate: 'DDAB1234',
    },
    { status: 409 },
  )

async function open(path = '/gate/12') {
  const { page, router } = await openPage(GateView, path)
  await settled(() => document.querySelector('main, .scan, .list, .form') !== null)
  const press = async (name: string) => {
    await settled(() => button(name) !== undefined)
    expect(button(name), name).toBeDefined()
    button(name)?.click()
  }
  const button = (name: string) =>
    [...document.querySelectorAll<HTMLElement>('button')].find(
      (each) => each.textContent?.trim() === name,
    )
  const type = async (text: string) => {
    await settled(() => page.find('input:not([type=radio])').exists())
    await page.find('input:not([type=radio])').setValue(text)
    await page.find('form').trigger('submit')
  }
  const outcome = async () => {
    await settled(() => page.find('[role=alert] h2').exists())
    return page.find('[role=alert]').text().replace(/\s+/g, ' ')
  }
  return { page, router, press, type, outcome }
}

describe('GateView', () => {
  it('lets a car in by its plate, and goes on to the next', async () => {
    answer(opened('entered'))
    const { type, outcome, press, page } = await open()
    await type('dd ab 1234')
    expect(await outcome()).toContain('Come in')
    expect(sent).toEqual([{ lot_id: 12, credential: 'dd ab 1234' }])
    await press('Next car')
    await settled(() => !page.find('[role=alert] h2').exists())
    expect(page.find('[role=alert] h2').exists()).toBe(false)
  })

  it('says why not', async () => {
    answer(() =>
      HttpResponse.json(
        {
          type: '/problems/entry-refused',
          status: 409,
          title: 'No entry',
          detail: 'This booking opens the entrance from 10:45 on.',
          reason: 'too-early',
          plate: 'DDAB1234',
        },
        { status: 409 },
      ),
    )
    const { type, outcome } = await open()
    await type('VV-8F3K-29QX')
    const said = await outcome()
    expect(said).toContain('Too early')
    expect(said).toContain('from 10:45 on')
  })

  it('takes what is due in cash, and opens the exit then', async () => {
    answer(due, opened('left'))
    server.use(
      http.post('*/api/v1/reservations/7/payments', async ({ request }) => {
        sent.push(await request.json(), request.headers.get('Idempotency-Key') !== null)
        return HttpResponse.json(aPayment(), { status: 201 })
      }),
    )
    const { type, outcome, press, page } = await open()
    await type('DDAB1234')
    expect(await outcome()).toContain('€2.00')
    await press('Take €2.00 in cash')
    await settled(() => page.text().includes('Drive out'))
    expect(page.text()).toContain('Drive out')
    expect(sent.slice(1)).toEqual([
      { method: 'cash' },
      true,
      { lot_id: 12, credential: 'VV-8F3K-29QX', direction: 'out' },
    ])
  })

  it('decides nothing without an answer of the server, and tries again', async () => {
    answer(() => HttpResponse.error(), opened('entered'))
    const { type, outcome, press, page } = await open()
    await type('DDAB1234')
    expect(await outcome()).toContain('Nothing was decided')
    await press('Try again')
    await settled(() => page.text().includes('Come in'))
    expect(sent).toHaveLength(2)
  })

  it('says so where there is no camera', async () => {
    // It was allowed before, and starts by itself.
    const { page } = await open()
    await settled(() => page.text().includes('There is no camera here'))
    expect(page.text()).toContain('There is no camera here')
  })

  it('says so where the camera is not allowed', async () => {
    const refused = () => Promise.reject(new DOMException('No', 'NotAllowedError'))
    Object.assign(navigator, { mediaDevices: { getUserMedia: vi.fn(refused) } })
    const { page } = await open()
    await settled(() => page.text().includes('The camera is not allowed'))
    expect(page.text()).toContain('The camera is not allowed')
    Object.assign(navigator, { mediaDevices: undefined })
  })

  it('lists the cars inside, and lets one out', async () => {
    inside = [aBooking({ status: 'checked_in', due_minor: 150 })]
    answer(opened('left'))
    const { press, page, router } = await open('/gate/12?tab=inside')
    await settled(() => page.text().includes('DDAB1234'))
    expect(page.text()).toContain('€1.50 due')
    await press('Let out')
    await settled(() => sent.length > 0)
    expect(sent).toEqual([{ lot_id: 12, credential: 'VV-8F3K-29QX', direction: 'out' }])
    expect(router.currentRoute.value.query).toEqual({})
  })

  it('lets a car in that has no booking', async () => {
    server.use(
      http.post('*/api/v1/gate/walk-ins', async ({ request }) => {
        sent.push(await request.json())
        return HttpResponse.json(aBooking({ source: 'walk_in', status: 'checked_in' }), {
          status: 201,
        })
      }),
    )
    const { page, type } = await open('/gate/12?tab=walk-in')
    await type('dd-ab 1234')
    await settled(() => page.text().includes('C05'))
    expect(page.text()).toContain('C05')
    expect(sent).toMatchObject([
      { lot_id: 12, plate: 'DDAB1234', vehicle_kind: 'car', spot_kind: null },
    ])
  })

  it('is nobody’s gate who does not work there', async () => {
    server.use(http.get('*/api/v1/gate/lots', () => list([])))
    const { page } = await openPage(GateView, '/gate/99')
    await settled(() => page.text().includes('You do not work at this gate'))
    expect(page.text()).toContain('You do not work at this gate')
  })
})

describe('GateLotsView', () => {
  it('goes to the only car park there is, and to none when who works there came to choose', async () => {
    const first = await openPage(GateLotsView, '/gate')
    await settled(() => first.router.currentRoute.value.path === '/gate/12')
    expect(first.router.currentRoute.value.path).toBe('/gate/12')
    first.page.unmount()
    const second = await openPage(GateLotsView, '/gate?choose=')
    await settled(() => second.page.find('a').exists())
    expect(second.page.text()).toContain('Altmarkt')
    expect(second.router.currentRoute.value.path).toBe('/gate')
  })

  it('goes on at the gate of before', async () => {
    localStorage.setItem('vv.gate-lot', '13')
    server.use(http.get('*/api/v1/gate/lots', () => list([LOT, { ...LOT, id: 13 }])))
    const { router } = await openPage(GateLotsView, '/gate')
    await settled(() => router.currentRoute.value.path === '/gate/13')
    expect(router.currentRoute.value.path).toBe('/gate/13')
  })

  it('says so when there is none', async () => {
    server.use(http.get('*/api/v1/gate/lots', () => list([])))
    const { page } = await openPage(GateLotsView, '/gate')
    await settled(() => page.text().includes('No car park is assigned to you'))
    expect(page.text()).toContain('No car park is assigned to you')
  })
})
