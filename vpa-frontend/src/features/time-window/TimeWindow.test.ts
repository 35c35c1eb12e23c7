import { enableAutoUnmount, type DOMWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, ref } from 'vue'
import { toIso } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'
import { given, openPage, settled } from '@/test/page'
import { useServer } from '@/test/server'
import type { FreeHour } from './bars'
import { hoursToShow } from './shown-hours'
import TimeWindow from './TimeWindow.vue'

useServer()
enableAutoUnmount(afterEach)

const BERLIN = 'Europe/Berlin'
const now = new Date('2026-11-26T14:07:00Z')
const evening = { from: new Date('2026-11-26T17:30:00Z'), to: new Date('2026-11-26T19:30:00Z') }

beforeEach(() => {
  vi.useFakeTimers({
    now,
    toFake: ['Date', 'setInterval', 'clearInterval'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

/** From 15:00 there: plenty, and 4 of 100 from 18:00 to 19:00. */
function someHours({ from, to }: TimeSpan): FreeHour[] {
  const hours: FreeHour[] = []
  for (let at = from.getTime(); at < to.getTime(); at += 3_600_000) {
    hours.push({
      starts_at: toIso(new Date(at)),
      ends_at: toIso(new Date(at + 3_600_000)),
      free: at === Date.parse('2026-11-26T17:00:00Z') ? 4 : 60,
      capacity: 100,
    })
  }
  return hours
}

async function show(span: TimeSpan = evening, more: Record<string, unknown> = {}) {
  const chosen = ref(span)
  const taken: TimeSpan[] = []
  const retries = ref(0)
  const Host = defineComponent(() => () => {
    const shown = hoursToShow(chosen.value, BERLIN, now)
    return h(TimeWindow, {
      modelValue: chosen.value,
      'onUpdate:modelValue': (next: TimeSpan) => {
        taken.push(next)
        chosen.value = next
      },
      zone: BERLIN,
      shown,
      hours: someHours(shown),
      onRetry: () => retries.value++,
      ...more,
    })
  })
  const { page } = await openPage(Host, '/')
  // The clock is that of the installation, which comes from the API.
  await settled(() => /^\d\d:\d\d –/.test(page.find('h2').text()))
  return {
    page,
    taken,
    retries,
    title: () => page.find('h2').text(),
    handle: (name: string) =>
      given(page.findAll('[role=slider]').find((each) => each.attributes('aria-label') === name)),
    valueOf: (handle: DOMWrapper<Element>) => handle.attributes('aria-valuetext'),
    times: () => taken.map(({ from, to }) => [toIso(from).slice(11, 16), toIso(to).slice(11, 16)]),
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 450))

describe('TimeWindow', () => {
  it('says the time in the zone of the car parks, and how free it is', async () => {
    const { page, title } = await show()
    expect(title()).toBe('18:30 – 20:30 · 2 h today')
    expect(page.find('.caption').text()).toBe('Fewest at 18:00: 4 of 100 bays free')
    expect(page.find('.bars').attributes('aria-label')).toContain('Fewest at 18:00')
    const rows = page.findAll('tbody tr').map((row) => row.text())
    expect(rows).toHaveLength(24)
    expect(rows[3]).toMatch(/^Today, 18:00\s*4 of 100 bays free$/)
  })

  it('marks the hours of the stay, and the scarce ones', async () => {
    const { page } = await show()
    const bars = page.findAll('.bars i')
    expect(bars.flatMap((bar, index) => (bar.attributes('data-in') ? [index] : []))).toEqual([
      3, 4, 5,
    ])
    expect(bars.flatMap((bar, index) => (bar.attributes('data-scarce') ? [index] : []))).toEqual([
      3,
    ])
  })

  it('names another day, and a night that ends on the next', async () => {
    const night = { from: new Date('2026-11-28T21:00:00Z'), to: new Date('2026-11-29T01:00:00Z') }
    const { title } = await show(night)
    expect(title()).toMatch(/^22:00 – Sun,? 29 Nov, 02:00 · 4 h on Sat,? 28 Nov$/)
  })

  it('moves the arrival by the keys, and the departure with it, once the keys rest', async () => {
    const { handle, valueOf, taken, times, title } = await show()
    const arrive = handle('Arrive')
    expect(valueOf(arrive)).toBe('Today, 18:30')
    await arrive.trigger('keydown', { key: 'ArrowRight' })
    await arrive.trigger('keydown', { key: 'PageUp' })
    await arrive.trigger('keydown', { key: 'ArrowDown' })
    await arrive.trigger('keydown', { key: 'ArrowUp' })
    expect(valueOf(arrive)).toBe('Today, 19:45')
    expect(title()).toBe('19:45 – 21:45 · 2 h today')
    expect(taken).toEqual([])
    await pause()
    expect(times()).toEqual([['18:45', '20:45']])
  })

  it('moves the departure by the keys, from a quarter of an hour to the end of what is shown', async () => {
    const { handle, valueOf, times } = await show()
    const leave = handle('Leave')
    await leave.trigger('keydown', { key: 'Home' })
    expect(valueOf(leave)).toBe('Today, 18:45')
    await leave.trigger('keydown', { key: 'ArrowLeft' })
    expect(valueOf(leave)).toBe('Today, 18:45')
    await leave.trigger('keydown', { key: 'End' })
    expect(valueOf(leave)).toBe('Tomorrow, 15:00')
    await leave.trigger('keydown', { key: 'PageDown' })
    await leave.trigger('blur')
    expect(times()).toEqual([['17:30', '13:00']])
  })

  it('takes a time once, and not one that is chosen already', async () => {
    const { handle, page, taken } = await show()
    const leave = handle('Leave')
    await leave.trigger('keydown', { key: 'ArrowRight' })
    await pause()
    await leave.trigger('blur')
    expect(taken).toHaveLength(1)
    await leave.trigger('keydown', { key: 'ArrowRight' })
    await leave.trigger('keydown', { key: 'ArrowLeft' })
    await leave.trigger('blur')
    expect(taken).toHaveLength(1)
    expect(page.find('h2').text()).toBe('18:30 – 20:45 · 2 h 15 min today')
  })

  it('goes no further back than now, and leaves other keys alone', async () => {
    const { handle, valueOf } = await show()
    const arrive = handle('Arrive')
    await arrive.trigger('keydown', { key: 'Home' })
    expect(valueOf(arrive)).toBe('Today, 15:15')
    await arrive.trigger('keydown', { key: 'ArrowLeft' })
    await arrive.trigger('keydown', { key: 'a' })
    expect(valueOf(arrive)).toBe('Today, 15:15')
  })

  it('takes a length of stay at once', async () => {
    const { page, times } = await show()
    const lengths = page.findAll('.lengths input')
    expect(lengths.map((each) => (each.element as HTMLInputElement).checked)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ])
    await given(lengths[3]).setValue(true)
    await given(lengths[4]).setValue(true)
    expect(times()).toEqual([
      ['17:30', '22:30'],
      ['17:30', '17:30'],
    ])
  })

  it('says that the hours did not come, and asks for them again', async () => {
    const { page, retries } = await show(evening, { failed: true, hours: undefined })
    expect(page.find('.caption').text()).toContain('Free bays by hour did not load.')
    await page.find('.caption button').trigger('click')
    expect(retries.value).toBe(1)
  })

  it('says that nothing is free', async () => {
    const none = someHours({
      from: new Date('2026-11-26T14:00:00Z'),
      to: new Date('2026-11-27T14:00:00Z'),
    })
    const { page } = await show(evening, { hours: none.map((hour) => ({ ...hour, free: 0 })) })
    expect(page.find('.caption').text()).toBe('No bay is free at these hours')
  })
})

describe('the handles', () => {
  const WIDTH = 480

  /** Presses, moves and lets go, in pixels of a chart of 24 hours, 20 to the hour. */
  async function drag(
    page: Awaited<ReturnType<typeof show>>['page'],
    part: string,
    from: number,
    to: number,
    end = 'pointerup',
  ) {
    const chart = page.find('.chart')
    chart.element.getBoundingClientRect = () => ({ left: 0, width: WIDTH }) as DOMRect
    chart.element.setPointerCapture = () => undefined
    await page.find(part).trigger('pointerdown', { button: 0, clientX: from, pointerId: 1 })
    await chart.trigger('pointermove', { clientX: (from + to) / 2 })
    await chart.trigger('pointermove', { clientX: to })
    await chart.trigger(end)
    await chart.trigger('click', { clientX: to })
  }

  it('move the arrival, and with it the whole stay', async () => {
    const { page, times } = await show()
    await drag(page, '[role=slider][data-drag=from]', 70, 111)
    expect(times()).toEqual([['19:30', '21:30']])
  })

  it('move by the stay itself', async () => {
    const { page, times } = await show()
    await drag(page, '.range', 90, 80)
    expect(times()).toEqual([['17:00', '19:00']])
  })

  it('move the departure alone', async () => {
    const { page, times } = await show()
    await drag(page, '[role=slider][data-drag=to]', 110, 150)
    expect(times()).toEqual([['17:30', '21:30']])
  })

  it('go back when the browser takes the finger for scrolling', async () => {
    const { page, taken, title } = await show()
    await drag(page, '[role=slider][data-drag=to]', 110, 150, 'pointercancel')
    await nextTick()
    expect(taken).toEqual([])
    expect(title()).toBe('18:30 – 20:30 · 2 h today')
  })

  it('come to where the chart is pressed', async () => {
    const { page, times } = await show()
    const chart = page.find('.chart')
    chart.element.getBoundingClientRect = () => ({ left: 0, width: WIDTH }) as DOMRect
    await chart.trigger('pointerdown', { button: 0, clientX: 200 })
    await chart.trigger('click', { clientX: 203 })
    expect(times()).toEqual([['00:00', '02:00']])
  })

  it('tell the hour under the pointer', async () => {
    const { page } = await show()
    const chart = page.find('.chart')
    chart.element.getBoundingClientRect = () => ({ left: 0, width: WIDTH }) as DOMRect
    await chart.trigger('pointermove', { clientX: 205 })
    expect(page.find('.caption').text()).toBe('01:00: 60 of 100 bays free')
    await chart.trigger('pointerleave')
    expect(page.find('.caption').text()).toBe('Fewest at 18:00: 4 of 100 bays free')
  })
})
