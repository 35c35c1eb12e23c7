import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { HttpResponse, http } from 'msw'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RouterView, createMemoryHistory, createRouter } from 'vue-router'
import type { Lot, SpotState } from '@/api/lots'
import type { Schema } from '@/api/http'
import type { Quote } from '@/api/quotes'
import type { Reservation } from '@/api/reservations'
import type { WaitlistEntry } from '@/api/waitlist'
import type { Vehicle } from '@/api/vehicles'
import { publicRoutes } from '@/router/routes/public'
import { useSession } from '@/stores/session'
import { aBay } from '@/test/bays'
import { aHold, aPayment } from '@/test/bookings'
import { given, settled } from '@/test/page'
import { aUser, aVehicle } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import LotView from './LotView.vue'

useServer()
enableAutoUnmount(afterEach)

const FROM = '2026-11-27T09:00:00Z'
const TO = '2026-11-27T11:00:00Z'
const PATH = `/lots/12?from=${FROM}&to=${TO}`

const lot: Lot = {
  id: 12,
  name: 'Altmarkt',
  address: 'Altmarkt 1',
  city: 'Dresden',
  lat: 51.05,
  lng: 13.74,
  timezone: 'Europe/Berlin',
  status: 'open',
  opening_hours: '24/7',
  opening_hours_by_day: (['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'] as const).map((day) => ({
    day,
    ranges: [{ opens: '00:00', closes: '24:00' }],
  })),
  height_limit_cm: 210,
  amenities: ['covered'],
  refund_policy: 'flexible',
  entry_minutes: 15,
  entry_minutes_long: 120,
  grace_minutes: 10,
  refunds_early_exit: false,
  allows_reentry: false,
  allows_self_check_in: false,
  capacity: 3,
  capacity_by_kind: { standard: 2, electric: 1 },
  levels: ['0'],
  tariff: {
    id: 1,
    version: 1,
    name: 'Day',
    currency: 'EUR',
    increments: [
      { minutes: 60, amount_minor: 200 },
      { minutes: 30, amount_minor: 100 },
    ],
    billing_step_minutes: 30,
    free_minutes: 0,
    day_cap_minor: 1800,
    tax_inclusive: true,
  },
  rating: null,
  review_count: 0,
}

let bays: SpotState[]
let vehicles: Vehicle[]
let asked: { what: string; body: Record<string, unknown> }[]
let holds: Map<number, Reservation>
let total: number
let refusals: (() => Response)[]
let reviews: Schema<'PublishedReview'>[]
let waiting: WaitlistEntry[]

const later = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
const verbs = () => asked.map(({ what }) => what)

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-26T14:07:00Z'), toFake: ['Date'] })
  localStorage.clear()
  bays = [
    aBay({ id: 1, label: 'A01' }),
    aBay({ id: 2, label: 'A02', x: 3.75 }),
    aBay({ id: 3, label: 'A03', x: 6.25, kind: 'electric' }),
  ]
  vehicles = [aVehicle()]
  asked = []
  holds = new Map()
  total = 400
  refusals = []
  reviews = []
  waiting = []
  let lastId = 6
  const take = async (what: string, request: Request) => {
    asked.push({ what, body: (await request.json()) as Record<string, unknown> })
  }
  server.use(
    http.get('*/api/v1/lots/12', () => HttpResponse.json(lot)),
    http.get('*/api/v1/lots/12/spots', () => HttpResponse.json({ items: bays })),
    http.get('*/api/v1/vehicles', () =>
      HttpResponse.json({ items: vehicles, next_cursor: null, total: vehicles.length }),
    ),
    http.get('*/api/v1/payments', () =>
      HttpResponse.json({ items: [], next_cursor: null, total: 0 }),
    ),
    http.get('*/api/v1/lots/:id/reviews', () =>
      HttpResponse.json({ items: reviews, next_cursor: null, total: reviews.length }),
    ),
    http.get('*/api/v1/waitlist', () =>
      HttpResponse.json({ items: waiting, next_cursor: null, total: waiting.length }),
    ),
    http.get('*/api/v1/reservations', () =>
      HttpResponse.json({ items: [...holds.values()], next_cursor: null, total: holds.size }),
    ),
    http.post('*/api/v1/quotes', async ({ request }) => {
      await take('quote', request)
      const { coupon, ...body } = given(asked.at(-1)).body as unknown as Quote & { coupon?: string }
      if (coupon === 'OLD') return refuse(409, 'coupon-not-valid', 'The coupon OLD is over.')
      return HttpResponse.json(
        {
          ...body,
          id: 50,
          total_minor: total,
          currency: 'EUR',
          lines: [
            {
              label: 'first 60 min',
              quantity: 1,
              unit_minor: total,
              amount_minor: total,
              kind: 'parking',
            },
          ],
          taxes: [{ name: 'VAT', rate_bp: 1900, amount_minor: 64, included: true }],
          tax_minor: 64,
          expires_at: later(10),
          refund_policy: {
            name: 'flexible',
            steps: [{ until_hours_before: 0, percent: 100 }],
            full_refund_within_minutes: 15,
            full_refund_until_hours_before: 1,
          },
        },
        { status: 201 },
      )
    }),
    http.post('*/api/v1/reservations', async ({ request }) => {
      await take('hold', request)
      const refusal = refusals.shift()
      if (refusal) return refusal()
      const { spot_id } = given(asked.at(-1)).body as { spot_id?: number }
      const bay = given(bays.find(({ id }) => id === (spot_id ?? 1)))
      lastId += 1
      const quote = given(asked.filter(({ what }) => what === 'quote').at(-1)).body
      const made = aHold({
        id: lastId,
        spot: { ...bay, pinned: spot_id !== undefined },
        starts_at: String(quote['starts_at']),
        ends_at: String(quote['ends_at']),
        created_at: later(0),
        hold_expires_at: total === 0 ? null : later(10),
        status: total === 0 ? 'confirmed' : 'held',
      })
      holds.set(made.id, made)
      return HttpResponse.json(made, { status: 201 })
    }),
    http.get('*/api/v1/reservations/:id', ({ params }) => {
      const found = holds.get(Number(params['id']))
      return found ? HttpResponse.json(found) : refuse(404, 'not-found')
    }),
    http.post('*/api/v1/reservations/:id/cancel', ({ params }) => {
      const id = Number(params['id'])
      asked.push({ what: `cancel ${id}`, body: {} })
      const changed = { ...given(holds.get(id)), status: 'cancelled' as const }
      holds.set(id, changed)
      return HttpResponse.json(changed)
    }),
    http.post('*/api/v1/reservations/:id/payments', async ({ request, params }) => {
      await take(`pay ${String(params['id'])}`, request)
      return HttpResponse.json(aPayment({ reservation_id: Number(params['id']) }), { status: 201 })
    }),
  )
})
afterEach(() => {
  vi.useRealTimers()
})

async function open(path = PATH, roles?: ('driver' | 'admin')[]) {
  const pinia = createPinia()
  setActivePinia(pinia)
  if (roles) useSession().update(aUser({ roles }))
  const stub = { render: () => null }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      ...publicRoutes.map((route) => ({
        ...route,
        component: route.name === 'lot' ? LotView : stub,
      })),
      { path: '/bookings', name: 'bookings', component: stub },
      { path: '/bookings/:id', name: 'ticket', component: stub },
    ] as never,
  })
  await router.push(path)
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const page = mount(RouterView, {
    attachTo: document.body,
    global: {
      plugins: [pinia, router, [VueQueryPlugin, { queryClient }], [I18NextVue, { i18next }]],
    },
  })
  const buttons = () => page.findAll('.quote button, .quote a')
  const named = (name: string) => buttons().find((each) => each.text() === name)
  await settled(() => page.find('.quote .price .total').exists() || page.find('.empty').exists())
  await flushPromises()
  return {
    page,
    router,
    query: () => router.currentRoute.value.query,
    quote: () => page.find('.quote'),
    named,
    bay: (label: string) => page.find(`[role=radio][aria-label^="Bay ${label},"]`),
    async press(name: string) {
      await given(named(name)).trigger('click')
      await flushPromises()
    },
    isHeld: () => settled(() => page.find('[role=timer]').exists()),
  }
}

describe('a guest', () => {
  it('sees the lot, its bays and the whole price', async () => {
    const { page, quote } = await open()
    expect(page.find('h1').text()).toBe('Altmarkt')
    expect(page.find('.meta').text()).toMatch(
      /Altmarkt 1.*Covered, Up to 2.1 m high.*Open 24 hours/,
    )
    expect(page.findAll('[role=radio]')).toHaveLength(3)
    expect(quote().find('.window').text()).toContain('Tomorrow, 10:00')
    expect(quote().find('.total').text()).toContain('€4.00')
    expect(quote().text()).toContain('Includes VAT 19 %, €0.64')
    expect(quote().text()).toContain('Free cancellation until tomorrow, 10:00.')
    expect(asked).toEqual([
      {
        what: 'quote',
        body: {
          lot_id: 12,
          starts_at: FROM,
          ends_at: TO,
          vehicle_id: null,
          spot_kind: null,
        },
      },
    ])
  })

  it('picks a bay, and takes all of it along to the sign-in', async () => {
    const { bay, query, named } = await open(`${PATH}&q=Alt`)
    await bay('A02').trigger('click')
    await settled(() => query()['bay'] !== undefined)
    expect(query()).toMatchObject({ from: FROM, to: TO, q: 'Alt', bay: '2' })
    const next = new URL(
      given(named('Sign in to book')?.attributes('href')),
      'http://localhost',
    ).searchParams.get('next')
    expect(next).toBe(`/lots/12?from=${FROM}&to=${TO}&q=Alt&bay=2`)
    expect(named('Create account')?.attributes('href')).toContain('/register?next=')
    expect(verbs()).not.toContain('hold')
  })

  it('is asked to sign in for a hold in the address', async () => {
    const { named, query } = await open(`${PATH}&hold=7`)
    expect(named('Sign in to pay')).toBeDefined()
    expect(query()['hold']).toBe('7')
  })

  it('goes back to the list as it was', async () => {
    const { page } = await open(`${PATH}&q=Alt&bay=2&step=pay`)
    const back = page.find('.back')
    expect(back.text()).toBe('Car parks near Alt')
    expect(back.attributes('href')).toBe(`/?from=${FROM}&to=${TO}&q=Alt`)
  })
})

describe('a driver', () => {
  const driver = (path = PATH) => open(path, ['driver'])
  /** Opens the time, and gives the lengths of stay to choose from. */
  async function editTime(page: Awaited<ReturnType<typeof open>>['page']) {
    server.use(
      http.get('*/api/v1/lots/availability', () => HttpResponse.json({ items: [], total_lots: 1 })),
    )
    await page.find('[aria-label="Edit the time"]').trigger('click')
    await settled(() => page.find('.time-window').exists())
    return page.findAll<HTMLInputElement>('.time-window input[type=radio]')
  }

  it('holds a bay by picking it, and lets it go for another one', async () => {
    const { bay, query, isHeld, page, named } = await driver()
    await bay('A02').trigger('click')
    await isHeld()
    expect(asked.at(-1)).toEqual({
      what: 'hold',
      body: { quote_id: 50, vehicle_id: 4, spot_id: 2 },
    })
    await settled(() => query()['hold'] !== undefined)
    expect(query()).toMatchObject({ hold: '7', vehicle: '4' })
    expect(bay('A02').attributes('aria-checked')).toBe('true')
    await bay('A01').trigger('click')
    await settled(() => query()['hold'] === '8')
    expect(verbs().filter((verb) => verb !== 'quote')).toEqual(['hold', 'cancel 7', 'hold'])
    await settled(() => named('Pay €4.00 and reserve A01') !== undefined)
    expect(named('Pay €4.00 and reserve A01')).toBeDefined()
    expect(page.find('[role=timer]').text()).toMatch(/^Held (10:00|9:5\d)$/)
  })

  it('books nothing for good where the other time is free of charge', async () => {
    const { bay, query, isHeld, page, named } = await driver()
    await bay('A02').trigger('click')
    await isHeld()
    total = 0
    await given((await editTime(page))[0]).setValue()
    await settled(() => named('Reserve A02') !== undefined)
    expect(named('Reserve A02')).toBeDefined()
    expect(query()['bay']).toBe('2')
    expect(verbs().filter((verb) => verb !== 'quote')).toEqual(['hold', 'cancel 7'])
  })

  it('holds the next bay for the time that is shown, whatever Back leads to', async () => {
    const { bay, query, isHeld, router } = await driver()
    await bay('A02').trigger('click')
    await isHeld()
    await settled(() => query()['hold'] === '7')
    await router.push({ query: { ...query(), from: TO, to: '2026-11-27T13:00:00Z' } })
    await settled(() => query()['from'] === FROM)
    expect(query()).toMatchObject({ from: FROM, to: TO, hold: '7' })
    await bay('A01').trigger('click')
    await settled(() => query()['hold'] === '8')
    expect(holds.get(8)).toMatchObject({ starts_at: FROM, ends_at: TO })
  })

  it('comes to the lot that the hold is in, which stays held', async () => {
    holds.set(7, aHold({ lot: { ...aHold().lot, id: 15 } }))
    server.use(
      http.get('*/api/v1/lots/15', () => HttpResponse.json({ ...lot, id: 15 })),
      http.get('*/api/v1/lots/15/spots', () => HttpResponse.json({ items: bays })),
    )
    const { router, query, isHeld } = await driver(`${PATH}&hold=7`)
    await settled(() => router.currentRoute.value.params['id'] === '15')
    await isHeld()
    expect(router.currentRoute.value.params['id']).toBe('15')
    expect(query()['hold']).toBe('7')
    expect(verbs()).not.toContain('cancel 7')
  })

  it('says that the hold did not load, and asks for it again', async () => {
    holds.set(7, aHold({ lot: { ...aHold().lot, id: 12 } }))
    server.use(http.get('*/api/v1/reservations/7', () => refuse(500, 'internal'), { once: true }))
    const { named, page, press, isHeld } = await driver(`${PATH}&hold=7`)
    await settled(() => page.text().includes('We could not load the bay that you hold'))
    expect(named('Hold a bay for me')).toBeUndefined()
    await press('Try again')
    await isHeld()
    expect(page.find('[role=timer]').exists()).toBe(true)
  })

  it('has a bay chosen, and then stands before the payment', async () => {
    const { press, isHeld, page } = await driver()
    await press('Hold a bay for me')
    await isHeld()
    expect(asked.at(-1)).toEqual({ what: 'hold', body: { quote_id: 50, vehicle_id: 4 } })
    await settled(() => document.activeElement?.id === 'pay-title')
    expect(document.activeElement?.id).toBe('pay-title')
    expect(page.find('.pick').text()).toContain('Bay A01, level 0')
  })

  it('holds the bay that was picked before signing in', async () => {
    const { press, isHeld, query } = await driver(`${PATH}&bay=2`)
    await press('Hold A02')
    await isHeld()
    expect(asked.at(-1)?.body).toMatchObject({ spot_id: 2 })
    await settled(() => query()['bay'] === undefined)
    expect(query()['bay']).toBeUndefined()
  })

  it('takes the nearest free bay in one tap when the one picked is gone', async () => {
    refusals = [
      () =>
        HttpResponse.json(
          {
            type: '/problems/spot-taken',
            status: 409,
            alternatives: {
              spots: [{ id: 1, label: 'A01', level: '0', kind: 'standard' }],
              lots: [],
              next_window: null,
            },
          },
          { status: 409 },
        ),
    ]
    const { bay, page, named, press, isHeld } = await driver()
    await bay('A02').trigger('click')
    await settled(() => page.find('.panel').exists())
    expect(page.find('.panel').text()).toContain('Bay A02 was just taken')
    expect(document.activeElement).toBe(page.find('.panel').element)
    expect(named('Hold a bay for me')).toBeUndefined()
    await press('Take A01, the nearest free bay')
    await isHeld()
    expect(asked.at(-1)?.body).toMatchObject({ spot_id: 1 })
    expect(page.find('.panel[tabindex]').exists() && page.text().includes('just taken')).toBe(false)
  })

  it('goes to the next free time in one tap where the lot is full, or to a lot nearby', async () => {
    refusals = [
      () =>
        HttpResponse.json(
          {
            type: '/problems/lot-full',
            status: 409,
            alternatives: {
              spots: [],
              lots: [
                {
                  id: 15,
                  name: 'Semperoper',
                  available: 9,
                  price_minor: 600,
                  currency: 'EUR',
                  distance_m: 500,
                  walking_minutes: 7,
                },
              ],
              next_window: { starts_at: '2026-11-27T12:00:00Z', ends_at: '2026-11-27T14:00:00Z' },
            },
          },
          { status: 409 },
        ),
    ]
    const { page, press, isHeld, query } = await driver(`${PATH}&bay=2`)
    await press('Hold A02')
    await settled(() => page.find('.panel').exists())
    const nearby = page.find('.panel li a')
    expect(nearby.text()).toBe('Semperoper, 7 min walk, €6.00')
    expect(nearby.attributes('href')).toBe(`/lots/15?from=${FROM}&to=${TO}`)
    await press('Tomorrow, 13:00 – 15:00 instead')
    await isHeld()
    expect(query()).toMatchObject({ from: '2026-11-27T12:00:00Z', to: '2026-11-27T14:00:00Z' })
    expect(asked.at(-1)?.body).not.toHaveProperty('spot_id')
  })

  it('can let the booking go that stands in the way', async () => {
    const inTheWay = aHold({
      id: 5,
      lot: { ...aHold().lot, name: 'Semperoper' },
      starts_at: '2026-11-27T10:00:00Z',
      ends_at: '2026-11-27T12:00:00Z',
    })
    holds.set(5, inTheWay)
    holds.set(4, aHold({ id: 4, starts_at: TO, ends_at: '2026-11-27T12:00:00Z' }))
    refusals = [() => refuse(409, 'vehicle-already-booked')]
    const { bay, page, press, isHeld } = await driver()
    await bay('A02').trigger('click')
    await settled(() => page.find('.panel li').exists())
    // The one that starts when this one ends is in nobody's way.
    expect(page.findAll('.panel li')).toHaveLength(1)
    expect(page.find('.panel li').text()).toContain('Semperoper')
    expect(page.find('.panel li a').attributes('href')).toContain('hold=5')
    await press('Let it go and hold mine')
    await isHeld()
    expect(verbs().filter((verb) => verb !== 'quote')).toEqual(['hold', 'cancel 5', 'hold'])
    expect(asked.at(-1)?.body).toMatchObject({ spot_id: 2 })
  })

  it('tries again without an answer, and what was picked stays', async () => {
    refusals = [() => HttpResponse.error()]
    const { bay, page, press, isHeld } = await driver()
    await bay('A02').trigger('click')
    await settled(() => page.text().includes('The server does not answer'))
    await press('Try again')
    await isHeld()
    expect(asked.at(-1)?.body).toMatchObject({ spot_id: 2 })
  })

  it('keeps the typed card when the hold has ended, and goes on with the next', async () => {
    const { bay, page, isHeld, press, named, query } = await driver()
    await bay('A02').trigger('click')
    await isHeld()
    await settled(() => page.find('input[name=card_number]').exists())
    await page.find('input[name=card_number]').setValue('4242 4242 4242 4242')
    await page.find('input[name=expiry]').setValue('12/30')
    await page.find('input[name=cvc]').setValue('123')
    holds.set(7, { ...given(holds.get(7)), status: 'expired', hold_expires_at: null })
    server.use(http.post('*/api/v1/reservations/7/payments', () => refuse(409, 'hold-expired')))
    await page.find('form').trigger('submit')
    await settled(() => page.text().includes('Your hold has ended'))
    await settled(() => query()['bay'] === '2')
    expect(query()).not.toHaveProperty('hold')
    expect(named('Pay €4.00 and reserve A02')).toBeUndefined()
    await press('Hold A02 again')
    await isHeld()
    expect(page.find<HTMLInputElement>('input[name=card_number]').element.value).toBe(
      '4242 4242 4242 4242',
    )
    await page.find('form').trigger('submit')
    await settled(() => verbs().includes('pay 8'))
    expect(verbs()).toContain('pay 8')
  })

  it('comes to the ticket when it is paid, and no bay is let go', async () => {
    const { press, page, isHeld, router } = await driver()
    await press('Hold a bay for me')
    await isHeld()
    await settled(() => page.find('input[name=card_number]').exists())
    await page.find('input[name=card_number]').setValue('4242 4242 4242 4242')
    await page.find('input[name=expiry]').setValue('12/30')
    await page.find('input[name=cvc]').setValue('123')
    await page.find('form').trigger('submit')
    await settled(() => router.currentRoute.value.name === 'ticket')
    expect(router.currentRoute.value.fullPath).toBe('/bookings/7')
    expect(verbs()).not.toContain('cancel 7')
  })

  it('takes the bay along to another time', async () => {
    const { bay, isHeld, page, query } = await driver()
    await bay('A02').trigger('click')
    await isHeld()
    const lengths = await editTime(page)
    await given(lengths[2]).setValue()
    await settled(() => query()['hold'] === '8')
    expect(query()['to']).toBe('2026-11-27T12:00:00Z')
    expect(verbs()).toEqual(['quote', 'hold', 'quote', 'cancel 7', 'hold'])
    expect(asked.at(-1)?.body).toMatchObject({ spot_id: 2 })
  })

  it('lets an unpaid bay go by leaving, but not by going to sign in', async () => {
    const first = await driver()
    await first.press('Hold a bay for me')
    await first.isHeld()
    await first.router.push('/sign-in')
    await flushPromises()
    expect(verbs()).not.toContain('cancel 7')
    first.page.unmount()
    const { router, isHeld } = await driver(`${PATH}&hold=7`)
    await isHeld()
    await router.push('/bookings')
    await settled(() => verbs().includes('cancel 7'))
    expect(router.currentRoute.value.fullPath).toBe('/bookings')
  })

  it('goes on with a hold after a reload, at the time it was made for', async () => {
    holds.set(9, aHold({ id: 9, lot: { ...aHold().lot, id: 12 }, hold_expires_at: later(4) }))
    const { query, isHeld, named } = await driver('/lots/12?hold=9')
    await isHeld()
    await settled(() => query()['from'] !== undefined)
    expect(query()).toMatchObject({ vehicle: '4', hold: '9' })
    expect(verbs()).not.toContain('quote')
    await settled(() => named('Pay €4.00 and reserve C05') !== undefined)
    expect(named('Pay €4.00 and reserve C05')).toBeDefined()
  })

  it('is told that a hold is not theirs, and can hold another', async () => {
    const { page, named, query } = await driver(`${PATH}&hold=99`)
    await settled(() => page.text().includes('This hold is not here'))
    await settled(() => query()['hold'] === undefined)
    expect(named('Hold a bay for me')).toBeDefined()
  })

  it('books at a tap what costs nothing, but not by picking', async () => {
    total = 0
    const { bay, query, press, router } = await driver()
    await bay('A02').trigger('click')
    await settled(() => query()['bay'] === '2')
    expect(verbs()).not.toContain('hold')
    await press('Reserve A02')
    await settled(() => router.currentRoute.value.name === 'ticket')
    expect(asked.at(-1)?.body).toMatchObject({ spot_id: 2 })
  })

  it('adds a first vehicle on the way', async () => {
    vehicles = []
    const { page, named } = await driver(`${PATH}&bay=2`)
    await settled(() => page.find('form.vehicle-form').exists())
    expect(page.text()).toContain('Which vehicle do you park?')
    server.use(
      http.post('*/api/v1/vehicles', () => {
        vehicles = [aVehicle()]
        return HttpResponse.json(vehicles[0], { status: 201 })
      }),
    )
    await page.find('input[name=plate]').setValue('DD AB 1234')
    await page.find('form.vehicle-form').trigger('submit')
    await settled(() => named('Hold A02') !== undefined)
    expect(named('Hold A02')).toBeDefined()
    expect(asked.at(-1)?.body).toMatchObject({ vehicle_id: 4 })
  })
})

it('tells why there is no price, and leads on', async () => {
  server.use(
    http.post('*/api/v1/quotes', () =>
      refuse(409, 'lot-not-bookable', 'Altmarkt is not open for the whole of this time.'),
    ),
  )
  const { page, named } = await open(PATH)
  await settled(() => page.text().includes('There is no price for this'))
  expect(page.text()).toContain('Altmarkt is not open for the whole of this time.')
  expect(named('See other car parks')?.attributes('href')).toBe(`/?from=${FROM}&to=${TO}`)
})

it('says that a lot is not there, with a heading', async () => {
  server.use(
    http.get('*/api/v1/lots/12', () => refuse(404, 'not-found')),
    http.get('*/api/v1/lots/12/spots', () => refuse(404, 'not-found')),
  )
  const { page } = await open()
  expect(page.find('h1').text()).toBe('There is no such car park')
})

it('lets admins look, and books nothing for them', async () => {
  const { page, bay } = await open(PATH, ['admin'])
  expect(page.text()).toContain('Bookings are made by drivers.')
  await bay('A02').trigger('click')
  await flushPromises()
  expect(verbs()).not.toContain('hold')
})

describe('a coupon', () => {
  const openCoupon = async () => {
    const opened = await open(PATH, ['driver'])
    await settled(() => opened.named('I have a coupon') !== undefined)
    await opened.press('I have a coupon')
    await settled(() => opened.page.find('.coupon input').exists())
    const apply = async (code: string) => {
      await opened.page.find('.coupon input').setValue(code)
      await opened.page.find('.coupon form').trigger('submit')
    }
    return { ...opened, apply }
  }

  it('is priced with, and kept for the hold', async () => {
    const { page, quote, apply, bay, isHeld } = await openCoupon()
    total = 300
    await apply('SPRING')
    await settled(() => quote().text().includes('Coupon SPRING counts'))
    expect(asked.at(-1)).toMatchObject({ what: 'quote', body: { coupon: 'SPRING' } })
    expect(quote().find('.total').text()).toContain('€3.00')
    await bay('A02').trigger('click')
    await isHeld()
    expect(verbs().filter((what) => what === 'hold')).toHaveLength(1)
    expect(page.text()).toContain('Coupon SPRING counts')
  })

  it('that does not count says so at its field, and the price stays', async () => {
    const { page, quote, apply } = await openCoupon()
    await apply('OLD')
    await settled(() => page.find('.coupon .error').exists())
    expect(page.find('.coupon .error').text()).toBe('The coupon OLD is over.')
    expect(page.find('.coupon input').attributes('aria-invalid')).toBe('true')
    expect(quote().find('.total').text()).toContain('€4.00')
  })

  it('is taken off again, and its field wants a code', async () => {
    const { page, quote, apply } = await openCoupon()
    await page.find('.coupon form').trigger('submit')
    expect(page.find('.coupon .error').text()).toBe('Enter the code of your coupon.')
    total = 300
    await apply('SPRING')
    await settled(() => quote().text().includes('Coupon SPRING counts'))
    total = 400
    await page.find('[aria-label="Take coupon SPRING off"]').trigger('click')
    await settled(() => quote().find('.total').text().includes('€4.00'))
    expect(quote().text()).toContain('I have a coupon')
  })
})

describe('a full lot', () => {
  const join = () =>
    http.post('*/api/v1/waitlist', async ({ request }) => {
      const body = (await request.json()) as Record<string, unknown>
      asked.push({ what: 'wait', body })
      waiting = [
        {
          id: 6,
          lot: { id: 12, name: 'Altmarkt', timezone: 'Europe/Berlin' },
          vehicle: { id: 4, plate: 'DDAB1234' },
          starts_at: FROM,
          ends_at: TO,
          spot_kind: null,
          status: 'waiting',
          position: 2,
          reservation_id: null,
          hold_expires_at: null,
          created_at: FROM,
        },
      ]
      return HttpResponse.json(waiting[0], { status: 201 })
    })

  it('takes drivers onto its list, and tells their place', async () => {
    bays = bays.map((each) => aBay({ ...each, state: 'taken', available: false }))
    server.use(join())
    const { page } = await open(PATH, ['driver'])
    await settled(() => page.text().includes('Full for your time'))
    await given(
      page.findAll('button').find((each) => each.text() === 'Tell me when a bay is free'),
    ).trigger('click')
    await settled(() => page.text().includes('You are number 2.'))
    expect(asked.at(-1)).toEqual({
      what: 'wait',
      body: { lot_id: 12, starts_at: FROM, ends_at: TO, vehicle_id: 4 },
    })
  })

  it('says so when there is a bay after all', async () => {
    bays = bays.map((each) => aBay({ ...each, state: 'taken', available: false }))
    server.use(http.post('*/api/v1/waitlist', () => refuse(409, 'lot-has-room')))
    const { page } = await open(PATH, ['driver'])
    await settled(() => page.text().includes('Full for your time'))
    await given(
      page.findAll('button').find((each) => each.text() === 'Tell me when a bay is free'),
    ).trigger('click')
    await settled(() => page.text().includes('There is a free bay now'))
    expect(page.text()).toContain('There is a free bay now')
  })

  it('offers nothing of it to guests, nor where a bay is free', async () => {
    const { page } = await open(PATH, ['driver'])
    expect(page.text()).not.toContain('Tell me when')
  })
})

it('leads who owes something to where it is paid', async () => {
  refusals.push(() =>
    HttpResponse.json(
      {
        type: '/problems/debt-stands',
        status: 409,
        title: 'Please pay what is open first',
        detail: 'Something of an earlier stay is not paid yet.',
        reservations: [{ id: 31, code: 'VV-AAAA-BBBB', debt_minor: 250, currency: 'EUR' }],
      },
      { status: 409 },
    ),
  )
  const { page, bay } = await open(PATH, ['driver'])
  await bay('A02').trigger('click')
  await settled(() => page.text().includes('An earlier stay is not all paid'))
  const link = given(page.findAll('a').find((each) => each.text() === 'Pay what is open'))
  expect(link.attributes('href')).toBe('/bookings/31')
})

it('tells what drivers say of the lot, and what was answered', async () => {
  reviews = [
    {
      id: 1,
      author: 'Asha R.',
      stars: 4,
      text: 'Easy to find.',
      created_at: '2026-11-20T10:00:00Z',
      edited_at: null,
      reply: 'Thank you!',
      replied_at: '2026-11-21T10:00:00Z',
    },
  ]
  server.use(
    http.get('*/api/v1/lots/12', () => HttpResponse.json({ ...lot, rating: 4.5, review_count: 1 })),
  )
  const { page } = await open()
  await settled(() => page.text().includes('Asha R.'))
  expect(page.find('.meta').text()).toContain('4.5')
  expect(page.find('.meta a[href="#reviews"]').text()).toBe('1 review')
  expect(page.find('#reviews').text()).toMatch(
    /Easy to find\..*Answer of the operator.*Thank you!/s,
  )
  expect(page.find('#reviews [aria-label="4 of 5 stars"]').exists()).toBe(true)
})
