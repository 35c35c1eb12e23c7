import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive } from 'vue'
import { aFoundLot } from '@/test/lots'
import { given, openPage, settled } from '@/test/page'
import { useServer } from '@/test/server'
import LotMap from './LotMap.vue'

useServer()
enableAutoUnmount(afterEach)

beforeEach(() => {
  // Leaflet measures its ground, which has no size here.
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(900)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(700)
})

const altmarkt = aFoundLot({ id: 1, name: 'Altmarkt', lat: 51.0507, lng: 13.7418 })
const galerie = aFoundLot({ id: 2, name: 'Galerie', lat: 51.0467, lng: 13.7379, available: 5 })
const ulm = aFoundLot({ id: 3, name: 'Am Bahnhof', city: 'Ulm', lat: 48.398, lng: 9.984 })
const full = aFoundLot({
  id: 4,
  name: 'Zwinger',
  lat: 51.06,
  lng: 13.735,
  available: 0,
  bookable: false,
  not_bookable_reason: 'full',
})

async function show(more: Record<string, unknown> = {}) {
  const events: [string, unknown][] = []
  const props = reactive({
    lots: [altmarkt, galerie],
    searchKey: 'a',
    isStale: false,
    wish: 'car' as const,
    radiusMax: 50_000,
    isLocating: false,
    activeId: undefined as number | undefined,
    'onUpdate:activeId': (id: number | undefined) => {
      props.activeId = id
    },
    onSelect: (id: number) => void events.push(['select', id]),
    onSearchArea: (area: unknown) => void events.push(['area', area]),
    onLocate: () => void events.push(['locate', undefined]),
    ...more,
  })
  const { page } = await openPage(
    defineComponent(() => () => h(LotMap, { ...props })),
    '/',
  )
  await settled(() => page.findAll('.sign').length > 0 && page.text().includes('€4'))
  const signs = () => [...document.querySelectorAll<HTMLElement>('.sign')]
  return {
    page,
    props,
    events,
    signs,
    sign: (name: string) =>
      given(signs().find((each) => each.getAttribute('aria-label')?.startsWith(name))),
    labels: () => signs().map((each) => each.getAttribute('aria-label')),
    button: (name: string) => page.find(`button[aria-label="${name}"]`),
    area: () => page.findAll('button').find((each) => each.text() === 'Search this area'),
  }
}

describe('LotMap', () => {
  it('shows each lot with its price, as a button', async () => {
    const { labels, events, signs } = await show({ selectedId: 1, lots: [altmarkt, galerie, full] })
    expect(labels().sort()).toEqual(['Altmarkt, €4', 'Galerie, €4', 'Zwinger, Full'])
    expect(
      signs()
        .map((each) => `${each.textContent} ${each.dataset['standing']}`)
        .sort(),
    ).toEqual(['Full none', '€4 few', '€4 plenty'])
    given(signs().find((each) => each.getAttribute('aria-pressed') === 'false')).click()
    expect(events).toEqual([['select', 2]])
  })

  it('puts a city into one sign with its name, and opens it when pressed', async () => {
    const { labels, signs, events } = await show({ lots: [ulm, altmarkt, galerie] })
    const dresden = given(signs().find((each) => each.textContent?.includes('Dresden')))
    expect(dresden.textContent).toBe('Dresden · 2')
    expect(dresden.getAttribute('aria-label')).toBe('2 lots close together. Zoom in.')
    dresden.click()
    await nextTick()
    expect(labels().sort()).toEqual(['Altmarkt, €4', 'Galerie, €4'])
    expect(events).toEqual([])
  })

  it('picks one after the other of lots that no scale takes apart', async () => {
    const twin = { ...galerie, id: 5, lat: altmarkt.lat, lng: altmarkt.lng }
    const { signs, props, events } = await show({ lots: [altmarkt, twin], selectedId: 1 })
    for (let tries = 0; tries < 8 && events.length === 0; tries++) {
      given(signs()[0]).click()
      await nextTick()
    }
    expect(events).toEqual([['select', 5]])
    Object.assign(props, { selectedId: 5 })
    await nextTick()
    given(signs()[0]).click()
    expect(events.at(-1)).toEqual(['select', 1])
  })

  it('is in step with the list: who points at one points at the other', async () => {
    const { sign, props } = await show()
    sign('Galerie').dispatchEvent(new Event('pointerenter'))
    expect(props.activeId).toBe(2)
    sign('Galerie').dispatchEvent(new Event('pointerleave'))
    expect(props.activeId).toBeUndefined()
    props.activeId = 1
    await nextTick()
    expect(sign('Altmarkt').dataset['active']).toBe('true')
  })

  it('offers to search where it was moved to, and stays there', async () => {
    const { area, button, events, props } = await show()
    expect(area()).toBeUndefined()
    await button('Zoom out').trigger('click')
    await nextTick()
    await given(area()).trigger('click')
    const [what, found] = given(events[0])
    expect(what).toBe('area')
    const { lat, lng, radius } = found as { lat: number; lng: number; radius: number }
    expect(lat).toBeCloseTo(51.0487, 2)
    expect(lng).toBeCloseTo(13.7398, 2)
    expect(radius).toBeGreaterThan(300)
    Object.assign(props, { searchKey: 'b', point: { lat, lng }, radius })
    await nextTick()
    expect(area()).toBeUndefined()
  })

  it('shows another search, once its lots are there', async () => {
    const { props, labels } = await show()
    Object.assign(props, { searchKey: 'b', isStale: true })
    await nextTick()
    expect(labels()).toContain('Altmarkt, €4')
    Object.assign(props, { lots: [ulm], isStale: false })
    await nextTick()
    await nextTick()
    expect(labels()).toEqual(['Am Bahnhof, €4'])
  })

  it('draws the place and the circle that were searched', async () => {
    const { page } = await show({ point: { lat: 51.05, lng: 13.74 }, radius: 1000 })
    expect(document.querySelector('.here')).not.toBeNull()
    expect(page.find('path.searched').exists()).toBe(true)
  })

  it('has no tiles unless the installation names some, and then says whose they are', async () => {
    const plain = await show()
    expect(plain.page.find('.leaflet-control-attribution').exists()).toBe(false)
    expect(plain.page.find('.leaflet-control-scale').exists()).toBe(true)
    plain.page.unmount()
    const { page } = await show({
      tileUrl: 'https://tiles.example/{z}/{x}/{y}.png',
      attribution: 'Tiles by Example',
    })
    expect(page.find('.leaflet-control-attribution').text()).toBe('Tiles by Example')
  })

  it('asks where the reader is', async () => {
    const { button, events } = await show()
    await button('Lots near me').trigger('click')
    expect(events).toEqual([['locate', undefined]])
  })
})
