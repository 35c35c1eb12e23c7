import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import type { Reservation } from '@/api/reservations'
import { useAnnouncer } from '@/composables/useAnnouncer'
import { aBooking } from '@/test/bookings'
import { openPage } from '@/test/page'
import { useServer } from '@/test/server'
import TimeCard from './TimeCard.vue'

useServer()
enableAutoUnmount(afterEach)

const NOW = new Date('2026-11-26T14:00:00Z')

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date', 'setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

async function show(change: Partial<Reservation>, opens = {}) {
  const Card = defineComponent({
    render: () => h(TimeCard, { booking: aBooking(change), ...opens }),
  })
  const { page } = await openPage(Card, '/bookings/7')
  return {
    page,
    title: () => page.find('h2').text(),
    count: () => page.find('[role=timer]').text().replace(/\s+/g, ''),
    async pass(seconds: number) {
      vi.advanceTimersByTime(seconds * 1000)
      await nextTick()
    },
  }
}

describe('TimeCard', () => {
  it('counts to the start, and from then on to the end', async () => {
    const card = await show({
      starts_at: '2026-11-26T14:00:02Z',
      ends_at: '2026-11-26T16:00:02Z',
    })
    expect(card.title()).toBe('Starts in')
    expect(card.count()).toBe('0m02s')
    await card.pass(2)
    expect(card.title()).toBe('Time left')
    expect(card.count()).toBe('2h00m00s')
    await card.pass(3600)
    expect(card.count()).toBe('1h00m00s')
    await card.pass(3600)
    expect(card.title()).toBe('Ended')
    expect(card.page.find('[role=timer]').exists()).toBe(false)
  })

  it('counts on when a car has not left in time', async () => {
    const card = await show({
      status: 'overstayed',
      starts_at: '2026-11-26T12:00:00Z',
      ends_at: '2026-11-26T13:50:00Z',
    })
    expect(card.title()).toBe('Over time by')
    expect(card.count()).toBe('10m00s')
  })

  it('is heard at 15, 5 and 1 minutes before the end, and not each second', async () => {
    const { polite } = useAnnouncer()
    polite.value = ''
    const heard: string[] = []
    const card = await show({
      starts_at: '2026-11-26T13:00:00Z',
      ends_at: '2026-11-26T14:16:00Z',
    })
    for (let second = 0; second < 16 * 60; second++) {
      await card.pass(1)
      if (polite.value && polite.value !== heard.at(-1)) heard.push(polite.value)
    }
    expect(heard.map((said) => said.trim())).toEqual([
      '15 min left of your booking.',
      '5 min left of your booking.',
      '1 min left of your booking.',
    ])
  })

  it('says when the entrance opens to the ticket', async () => {
    const change = { starts_at: '2026-11-26T14:10:00Z', ends_at: '2026-11-26T16:00:00Z' }
    const opens = { opensAt: '2026-11-26T14:00:01Z', closesAt: '2026-11-26T16:10:00Z' }
    const card = await show(change, opens)
    expect(card.page.text()).not.toContain('Entrance open')
    await card.pass(1)
    expect(card.page.text()).toContain('Entrance open')
  })

  it('counts nothing of a booking that came to nothing', async () => {
    const card = await show({ status: 'cancelled' })
    expect(card.title()).toBe('Was booked for')
    expect(card.page.find('[role=timer]').exists()).toBe(false)
    expect(card.page.find('[role=img]').exists()).toBe(false)
  })

  it('shows the clock of the lot, and says so where the browser has another', async () => {
    // The tests run on the clock of St. John’s; 14:30 UTC is 15:30 in Dresden.
    const card = await show({
      starts_at: '2026-11-26T14:30:00Z',
      ends_at: '2026-11-26T16:30:00Z',
    })
    expect(card.page.text()).toMatch(/Today, (15:30|3:30.pm) – (17:30|5:30.pm)/i)
    expect(card.page.text()).toContain('All times are those of Dresden.')
  })
})
