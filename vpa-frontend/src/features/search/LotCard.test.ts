import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import type { FoundLot } from '@/api/lots'
import { useFormat } from '@/composables/useFormat'
import type { TimeSpan } from '@/lib/time-span'
import { aFoundLot } from '@/test/lots'
import { given, openPage, settled } from '@/test/page'
import { useServer } from '@/test/server'
import LotCard from './LotCard.vue'

useServer()
enableAutoUnmount(afterEach)

beforeEach(() => {
  vi.useFakeTimers({
    now: new Date('2026-11-26T14:07:00Z'),
    toFake: ['Date', 'setInterval', 'clearInterval'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

async function show(lot: Partial<FoundLot>, more: Record<string, unknown> = {}) {
  const taken: TimeSpan[] = []
  const props = {
    lot: aFoundLot(lot),
    wish: 'car' as const,
    to: '/lots/12?vehicle=4',
    isMeasured: false,
    onTakeWindow: (span: TimeSpan) => void taken.push(span),
    ...more,
  }
  const Host = defineComponent(() => {
    const format = useFormat()
    const clock = () => h('time', format.time('2026-11-26T17:30:00Z', 'Europe/Berlin'))
    return () => [clock(), h(LotCard, props)]
  })
  const { page } = await openPage(Host, '/')
  // Numbers are written as the installation's people do, which comes from the API.
  await settled(() => page.find('time').text() === '18:30')
  return {
    page,
    taken,
    text: () => page.text().replace(/[\u00a0\u202f]/g, ' '),
    tone: () => page.find('[data-standing]').attributes('data-standing'),
    link: () => page.find('a'),
    badges: () => page.findAll('.badges li').map((each) => each.text()),
  }
}

describe('LotCard', () => {
  it('says what is free and what it costs, and leads to the bays', async () => {
    const { text, tone, link, badges } = await show({ price_minor: 450 })
    expect(text()).toContain('€4.50')
    expect(text()).toContain('42 of 180 free')
    expect(tone()).toBe('plenty')
    expect(link().attributes()).toMatchObject({
      href: '/lots/12?vehicle=4',
      'aria-label': 'Choose a bay at Altmarkt',
    })
    expect(badges()).toEqual([])
  })

  it('tells the walk only from a place that was asked for', async () => {
    const near = { distance_m: 260, walking_minutes: 3 }
    expect((await show(near)).text()).not.toContain('walk')
    expect((await show(near, { isMeasured: true })).text()).toContain('3 min walk')
    const here = await show({ distance_m: 4, walking_minutes: 0 }, { isMeasured: true })
    expect(here.text()).toContain('Right here')
  })

  it('warns when a tenth or less is free', async () => {
    const { text, tone } = await show({ available: 18 })
    expect(text()).toContain('18 of 180 free')
    expect(text()).toContain('Going fast')
    expect(tone()).toBe('few')
  })

  it('tells what a lot has', async () => {
    const { badges } = await show({
      amenities: ['underground', 'video'],
      available_by_kind: { standard: 40, electric: 6 },
      always_open: true,
      height_limit_cm: 210,
      refund_badge: 'free_cancellation_24h',
    })
    expect(badges()).toEqual([
      'Covered',
      '6 charging bays free',
      '24 h',
      'Up to 2.1 m',
      'Free cancellation until 24 h before',
    ])
  })

  it('counts the bays of a kind by themselves, since a lot has few of them', async () => {
    const one = await show({ available: 1 }, { wish: 'motorcycle' })
    expect(one.text()).toContain('1 motorcycle bay free')
    expect(one.text()).toContain('The last one')
    expect(one.text()).not.toContain('of 180')
    const more = await show(
      { available: 6, available_by_kind: { electric: 6 } },
      { wish: 'charging' },
    )
    expect(more.text()).toContain('6 charging bays free')
    expect(more.badges()).toEqual([])
  })

  it('offers the next time of a full lot in one tap', async () => {
    const { page, text, taken, link } = await show({
      available: 0,
      bookable: false,
      not_bookable_reason: 'full',
      next_window: { starts_at: '2026-11-26T18:45:00Z', ends_at: '2026-11-26T20:45:00Z' },
    })
    expect(text()).toContain('Full for this time.')
    expect(link().attributes('aria-label')).toBe('See Altmarkt')
    const next = given(page.findAll('button').find((each) => each.text().startsWith('Free again')))
    expect(next.text()).toBe('Free again from 19:45')
    await next.trigger('click')
    expect(taken).toEqual([
      { from: new Date('2026-11-26T18:45:00Z'), to: new Date('2026-11-26T20:45:00Z') },
    ])
  })

  it('names the day when that is another one', async () => {
    const { text } = await show({
      available: 0,
      bookable: false,
      not_bookable_reason: 'full',
      next_window: { starts_at: '2026-11-27T07:00:00Z', ends_at: '2026-11-27T09:00:00Z' },
    })
    expect(text()).toContain('Free again: Tomorrow, 08:00')
  })

  it.each([
    ['closed', {}, 'This lot is closed.'],
    ['outside_opening_hours', {}, 'Not open for all of this time.'],
    ['too_high', { height_limit_cm: 190 }, 'Too low for your vehicle: the limit is 1.9 m.'],
    ['no_fitting_bay', {}, 'No bay here fits a van.'],
  ] as const)('says in words that it is %s', async (reason, more, words) => {
    const { text } = await show(
      { bookable: false, not_bookable_reason: reason, ...more },
      { wish: 'van' },
    )
    expect(text()).toContain(words)
    expect(text()).not.toContain('Choose a bay')
  })

  it('has no price to show where there is none', async () => {
    const { text } = await show({
      bookable: false,
      not_bookable_reason: 'no_tariff',
      price_minor: null,
    })
    expect(text()).toContain('No price')
    expect(text()).toContain('cannot be booked')
  })
})
