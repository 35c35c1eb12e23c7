import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FoundLot } from '@/api/lots'
import { useAnnouncer } from '@/composables/useAnnouncer'
import { isToasterWanted } from '@/composables/useToast'
import { aFoundLot } from '@/test/lots'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import FindView from './FindView.vue'
// What the page brings later is made ready here, so that no test waits for it to be compiled.
import '@/features/search/LotList.vue'
import '@/features/search/SearchBar.vue'
import '@/features/search/SearchSheet.vue'
import '@/features/time-window/TimeFields.vue'
import '@/features/time-window/TimeWindow.vue'

useServer()
enableAutoUnmount(afterEach)

/** What the API was asked, in order: lists and hours. */
const asked: { lots: URLSearchParams[]; hours: URLSearchParams[] } = { lots: [], hours: [] }

beforeEach(() => {
  asked.lots = []
  asked.hours = []
  localStorage.clear()
  vi.useFakeTimers({
    now: new Date('2026-11-26T14:07:00Z'),
    toFake: ['Date'],
  })
  server.use(
    http.get('*/api/v1/lots/availability', ({ request }) => {
      asked.hours.push(new URL(request.url).searchParams)
      return HttpResponse.json({ items: [], total_lots: 0 })
    }),
  )
})
afterEach(() => {
  vi.useRealTimers()
})

interface Found {
  total?: number
  place?: { name: string; lat: number; lng: number }
}

function answer(items: FoundLot[], { total = items.length, place }: Found = {}): void {
  server.use(
    http.get('*/api/v1/lots', ({ request }) => {
      const query = new URL(request.url).searchParams
      asked.lots.push(query)
      const limit = Number(query.get('limit'))
      return HttpResponse.json({
        items: items.slice(0, limit),
        next_cursor: items.length > limit ? 'more' : null,
        total,
        place: place ?? null,
      })
    }),
  )
}

async function open(path = '/') {
  const opened = await openPage(FindView, path)
  const { page, router } = opened
  const isThere = (part: string) => page.find(part).exists()
  await settled(() => isThere('.bar, .summary') && isThere('article, .empty, [role=alert]'))
  await flushPromises()
  return {
    page,
    query: () => router.currentRoute.value.query,
    back: async () => {
      router.back()
      await new Promise((resolve) => setTimeout(resolve, 20))
      await flushPromises()
    },
    title: () => page.find('h1').text(),
    cards: () => page.findAll('article').map((card) => card.find('h2').text()),
    button: (name: string) =>
      given(
        page
          .findAll('button')
          .find((each) => (each.attributes('aria-label') ?? each.text()).startsWith(name)),
      ),
    async search(text: string) {
      await page.find('.bar input').setValue(text)
      await page.find('.bar').trigger('submit')
      await flushPromises()
    },
  }
}

const last = (list: URLSearchParams[]) => given(list.at(-1))

describe('FindView', () => {
  it('opens on the answer: all lots, two hours from the next quarter, for a car', async () => {
    answer([aFoundLot()], { total: 58 })
    const { title, cards, page } = await open()
    expect(title()).toBe('58 lots')
    expect(cards()).toEqual(['Altmarkt'])
    expect(page.text()).toContain('Totals for 2 h, taxes included')
    expect(Object.fromEntries(last(asked.lots))).toEqual({
      starts_at: '2026-11-26T14:15:00Z',
      ends_at: '2026-11-26T16:15:00Z',
      vehicle_kind: 'car',
      limit: '20',
    })
    expect(document.title).toBe('Find parking · Vehicle Vault')
  })

  it('asks for the free hours of the same lots over the day there', async () => {
    answer([aFoundLot()])
    await open('/?q=dresden&amenity=covered')
    await settled(() => asked.hours.length > 0)
    expect(Object.fromEntries(last(asked.hours))).toEqual({
      q: 'dresden',
      amenity: 'covered',
      vehicle_kind: 'car',
      starts_at: '2026-11-26T14:00:00Z',
      ends_at: '2026-11-27T14:00:00Z',
    })
  })

  it('is what the address says, and carries it on to the lot', async () => {
    answer([aFoundLot()])
    const { page } = await open(
      '/?from=2026-11-27T08:00:00Z&to=2026-11-27T11:00:00Z&vehicle=electric-car&kind=electric&sort=price',
    )
    expect(Object.fromEntries(last(asked.lots))).toEqual({
      starts_at: '2026-11-27T08:00:00Z',
      ends_at: '2026-11-27T11:00:00Z',
      vehicle_kind: 'car',
      electric: 'true',
      spot_kind: 'electric',
      amenity: 'charging',
      sort: 'price',
      limit: '20',
    })
    const link = new URL(given(page.find('article a').attributes('href')), 'http://here')
    expect(link.pathname).toBe('/lots/12')
    expect(Object.fromEntries(link.searchParams)).toEqual({
      from: '2026-11-27T08:00:00Z',
      to: '2026-11-27T11:00:00Z',
      vehicle: 'electric-car',
      kind: 'electric',
    })
  })

  it('searches words on Enter, and Back undoes it', async () => {
    answer([aFoundLot(), aFoundLot({ id: 13, name: 'Zwinger' })])
    const { search, query, title, back } = await open('/?amenity=covered')
    await search('  Dresden ')
    expect(query()).toEqual({ amenity: ['covered'], q: 'Dresden' })
    await settled(() => title() === '2 lots in Dresden')
    expect(title()).toBe('2 lots in Dresden')
    expect(useAnnouncer().polite.value).toBe('2 lots in Dresden')
    await back()
    expect(query()).toEqual({ amenity: 'covered' })
  })

  it('asks again when the same is searched again', async () => {
    answer([aFoundLot()])
    const { search, query } = await open('/?q=ulm')
    const before = asked.lots.length
    await search('ulm')
    await settled(() => asked.lots.length > before)
    expect(asked.lots).toHaveLength(before + 1)
    expect(query()).toEqual({ q: 'ulm' })
  })

  it('offers the lots around a place whose name was typed', async () => {
    answer([aFoundLot()], { place: { name: 'Altmarkt', lat: 51.050_67, lng: 13.741_79 } })
    const { button, query, title } = await open('/?q=altmarkt')
    expect(title()).toBe('1 lot for “altmarkt”')
    await button('All lots within').trigger('click')
    await flushPromises()
    expect(query()).toEqual({ lat: '51.0507', lng: '13.7418', radius: '1000', place: 'Altmarkt' })
    await settled(() => title().includes('within'))
    expect(title().replace(/\u00a0/g, ' ')).toBe('1 lot within 1 km of Altmarkt')
  })

  it('does not take a city for a place', async () => {
    answer([aFoundLot({ walking_minutes: 3 })], { place: { name: 'Altmarkt', lat: 51, lng: 13 } })
    const { page } = await open('/?q=dresden')
    expect(page.text()).not.toContain('All lots within')
    expect(page.text()).not.toContain('min walk')
  })

  it('filters by what the API can', async () => {
    answer([aFoundLot()])
    const { button, query } = await open()
    await button('Charging').trigger('click')
    await flushPromises()
    await button('Video-watched').trigger('click')
    await flushPromises()
    expect(query()).toEqual({ kind: 'electric', amenity: ['video'] })
    expect(last(asked.lots).getAll('amenity')).toEqual(['video', 'charging'])
    expect(button('Charging').attributes('aria-pressed')).toBe('true')
    await button('Charging').trigger('click')
    await flushPromises()
    expect(query()).toEqual({ amenity: ['video'] })
  })

  it('offers charging to cars alone', async () => {
    answer([aFoundLot()])
    const { page, query } = await open()
    await page.find('.vehicle select').setValue('van')
    await flushPromises()
    expect(query()).toEqual({ vehicle: 'van' })
    expect(page.find('.chips').text()).not.toContain('Charging')
    expect(last(asked.lots).get('vehicle_kind')).toBe('van')
  })

  it('orders by price', async () => {
    answer([aFoundLot()])
    const { page, query } = await open()
    await page.find('.order select').setValue('price')
    await flushPromises()
    expect(query()).toEqual({ sort: 'price' })
    expect(last(asked.lots).get('sort')).toBe('price')
  })

  it('shows more, goes on reading at the first of them, and stays so long in the address', async () => {
    answer(Array.from({ length: 30 }, (_, id) => aFoundLot({ id: id + 1, name: `Lot ${id + 1}` })))
    const { button, cards, page, query, title } = await open('/?q=lot')
    expect(title()).toBe('30 lots for “lot”')
    // They come a few at a time.
    await settled(() => cards().length === 20)
    expect(cards()).toHaveLength(20)
    await button('Show more').trigger('click')
    await settled(() => cards().length === 30)
    expect(last(asked.lots).get('limit')).toBe('40')
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Choose a bay at Lot 21')
    expect(page.text()).not.toContain('Show more')
    expect(query()).toEqual({ q: 'lot', show: '40' })
  })

  it('takes the next free time of a full lot', async () => {
    answer([
      aFoundLot({
        available: 0,
        bookable: false,
        not_bookable_reason: 'full',
        next_window: { starts_at: '2026-11-26T18:45:00Z', ends_at: '2026-11-26T20:45:00Z' },
      }),
    ])
    const { button, query } = await open('/?q=ulm')
    await button('Free again').trigger('click')
    await flushPromises()
    expect(query()).toEqual({
      q: 'ulm',
      from: '2026-11-26T18:45:00Z',
      to: '2026-11-26T20:45:00Z',
    })
  })

  it.each([
    ['/?q=zzz&amenity=covered', 'Clear the filters', { q: 'zzz' }],
    ['/?lat=51&lng=13&radius=1000', 'Search within 5', { lat: '51', lng: '13', radius: '5000' }],
    ['/?q=zzz', 'Show all lots', {}],
  ])('helps a search that finds nothing: %s', async (path, action, query) => {
    answer([])
    const opened = await open(path)
    expect(opened.page.text()).toContain('No lot matches this search')
    await opened.button(action).trigger('click')
    await flushPromises()
    expect(opened.query()).toEqual(query)
    expect(document.activeElement?.tagName).toBe('H1')
  })

  it('says that the lots did not load, and asks for them again', async () => {
    server.use(http.get('*/api/v1/lots', () => refuse(503, 'unavailable')))
    const { page, button, cards } = await open()
    expect(page.find('[role=alert]').text()).toContain('The server does not answer.')
    answer([aFoundLot()])
    await button('Try again').trigger('click')
    await settled(() => cards().length > 0)
    expect(cards()).toEqual(['Altmarkt'])
    expect(page.find('[role=alert]').exists()).toBe(false)
  })

  it('looks around the reader when they ask for it', async () => {
    answer([aFoundLot()])
    vi.stubGlobal('navigator', {
      ...navigator,
      geolocation: {
        getCurrentPosition: (found: PositionCallback) =>
          found({ coords: { latitude: 51.050_666, longitude: 13.741_777 } } as GeolocationPosition),
      },
    })
    const { button, query } = await open('/?q=ulm')
    await button('Lots near me').trigger('click')
    await flushPromises()
    expect(query()).toEqual({ lat: '51.0507', lng: '13.7418', radius: '1000' })
    vi.unstubAllGlobals()
  })

  it('says that it may not know where they are', async () => {
    answer([aFoundLot()])
    vi.stubGlobal('navigator', {
      ...navigator,
      geolocation: {
        getCurrentPosition: (_: PositionCallback, failed: PositionErrorCallback) =>
          failed({ code: 1 } as GeolocationPositionError),
      },
    })
    const { button, query } = await open()
    await button('Lots near me').trigger('click')
    await flushPromises()
    expect(query()).toEqual({})
    expect(isToasterWanted.value).toBe(true)
    vi.unstubAllGlobals()
  })

  it('opens the times in the bar, and Escape closes them', async () => {
    answer([aFoundLot()])
    const { page } = await open()
    const times = page.find('.times')
    expect(times.text()).toContain('Today, 15:15')
    await times.trigger('click')
    await settled(() => page.find('.panel input').exists())
    expect(times.attributes('aria-expanded')).toBe('true')
    await page.find('.panel input').trigger('keydown', { key: 'Escape' })
    expect(page.find('.panel').exists()).toBe(false)
    expect(document.activeElement).toBe(times.element)
  })

  it('has the same fields in a sheet on phones', async () => {
    const narrow = new EventTarget()
    vi.spyOn(window, 'matchMedia').mockReturnValue(
      Object.assign(narrow, { matches: false }) as MediaQueryList,
    )
    answer([aFoundLot()])
    const { page, query } = await open('/?q=ulm')
    expect(page.find('.summary').text()).toContain('ulm')
    expect(page.find('.summary').text()).toContain('Today, 15:15 – 17:15 · Car')
    await page.find('.summary').trigger('click')
    const sheet = () => document.querySelector<HTMLElement>('[role=dialog]')
    await settled(() => sheet()?.querySelector('input[type=date]') != null)
    const field = given(sheet()?.querySelector<HTMLInputElement>('input[type=search]'))
    expect(field.value).toBe('ulm')
    field.value = 'aalen'
    field.dispatchEvent(new Event('input'))
    sheet()?.querySelector('form')?.dispatchEvent(new Event('submit'))
    await settled(() => sheet() === null)
    expect(query()).toEqual({ q: 'aalen' })
  })
})
