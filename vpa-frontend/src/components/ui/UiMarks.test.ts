import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { showPart } from '@/test/part'
import UiBadge from './UiBadge.vue'
import UiCard from './UiCard.vue'
import UiEmpty from './UiEmpty.vue'
import UiPage from './UiPage.vue'
import UiPlate from './UiPlate.vue'
import UiSpinner from './UiSpinner.vue'
import UiStrip from './UiStrip.vue'

enableAutoUnmount(afterEach)

describe('UiStrip', () => {
  const cells = (free: number, capacity: number) => {
    const strip = showPart(UiStrip, { props: { free, capacity } })
    const filled = strip.findAll('i').map((cell) => cell.attributes('data-free') !== undefined)
    return { count: filled.filter(Boolean).length, filled, tone: strip.attributes('data-tone') }
  }

  it.each([
    [180, 180, 10, 'plenty'],
    [42, 180, 2, 'plenty'],
    [9, 96, 1, 'few'],
    [1, 1000, 1, 'few'],
    [0, 60, 0, 'few'],
    [0, 0, 0, 'few'],
  ])('shows %i of %i as %i bays, %s', (free, capacity, count, tone) => {
    expect(cells(free, capacity)).toMatchObject({ count, tone })
  })

  it('fills from the end, and leaves the words to what stands beside it', () => {
    expect(cells(42, 180).filled.slice(-2)).toEqual([true, true])
    const strip = showPart(UiStrip, { props: { free: 1, capacity: 2 } })
    expect(strip.attributes('aria-hidden')).toBe('true')
  })
})

describe('UiPlate', () => {
  it('reads as the plate alone, and looks electric where it is', () => {
    const plate = showPart(UiPlate, { props: { plate: 'KA03EV0907', electric: true, size: 'lg' } })
    expect(plate.text()).toBe('KA03EV0907')
    expect(plate.find('b').attributes('aria-hidden')).toBe('true')
    expect(plate.attributes()).toMatchObject({ 'data-electric': 'true', 'data-size': 'lg' })
    expect(
      showPart(UiPlate, { props: { plate: 'A1' } }).attributes('data-electric'),
    ).toBeUndefined()
  })
})

describe('UiBadge', () => {
  it('says its word, with a dot for what is going on', () => {
    const badge = showPart(UiBadge, {
      props: { tone: 'ok', dot: true },
      slots: { default: 'Parked' },
    })
    expect(badge.text()).toBe('Parked')
    expect(badge.find('i').attributes('aria-hidden')).toBe('true')
    expect(showPart(UiBadge).attributes('data-tone')).toBe('plain')
  })
})

describe('UiSpinner', () => {
  it('is not heard', () => {
    expect(showPart(UiSpinner).attributes('aria-hidden')).toBe('true')
  })
})

describe('UiCard', () => {
  it('has a heading of the second level where it is given one', () => {
    const card = showPart(UiCard, { props: { title: 'Prices' }, slots: { default: 'Text' } })
    expect(card.element.tagName).toBe('SECTION')
    expect(card.find('h2').text()).toBe('Prices')
    expect(showPart(UiCard, { props: { tag: 'li' } }).html()).not.toContain('<header')
    const ended = showPart(UiCard, {
      slots: { title: '<h2>Own</h2>', end: '<button>Edit</button>' },
    })
    expect(ended.find('header').text()).toBe('OwnEdit')
  })
})

describe('UiEmpty', () => {
  it('is one sentence and one thing to do', () => {
    const empty = showPart(UiEmpty, {
      props: { title: 'No vehicle yet', text: 'Add one.' },
      slots: { default: '<button>Add vehicle</button>', icon: '<svg />' },
    })
    expect(empty.findAll('p').map((line) => line.text())).toEqual(['No vehicle yet', 'Add one.'])
    expect(empty.find('button').text()).toBe('Add vehicle')
    expect(
      showPart(UiEmpty, { props: { title: 'Nothing' } })
        .find('.action')
        .exists(),
    ).toBe(false)
  })
})

describe('UiPage', () => {
  it('has the one heading of the page, a way back and what can be done', () => {
    const page = showPart(UiPage, {
      props: { title: 'Altmarkt', text: 'Dresden', back: { to: '/', label: '10 car parks' } },
      slots: { default: 'Content', actions: '<button>Directions</button>', meta: '<p>Covered</p>' },
    })
    expect(page.findAll('h1').map((heading) => heading.text())).toEqual(['Altmarkt'])
    expect(page.find('a').attributes('href')).toBe('/')
    expect(page.find('a').text()).toBe('10 car parks')
    expect(page.find('header').text()).toContain('Directions')
    const plain = showPart(UiPage, { props: { title: 'Plain', width: 'narrow' } })
    expect(plain.find('a').exists()).toBe(false)
    expect(plain.attributes('data-width')).toBe('narrow')
  })
})
