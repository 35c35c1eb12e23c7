import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { nextTick, ref } from 'vue'
import { inSetup } from '@/test/in-setup'
import { useCountdown } from './useCountdown'

enableAutoUnmount(afterEach)
beforeEach(() => {
  vi.useFakeTimers({
    now: new Date('2026-11-26T14:00:00Z'),
    toFake: ['Date', 'setInterval', 'clearInterval'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

it('counts down to the moment, and stops there', async () => {
  const { result } = await inSetup(() => useCountdown('2026-11-26T14:00:03Z'))
  expect(result.secondsLeft.value).toBe(3)
  expect(result.isOver.value).toBe(false)
  vi.advanceTimersByTime(2000)
  expect(result.secondsLeft.value).toBe(1)
  vi.advanceTimersByTime(1000)
  expect([result.secondsLeft.value, result.isOver.value]).toEqual([0, true])
  vi.advanceTimersByTime(60_000)
  expect(result.secondsLeft.value).toBe(0)
})

it('says a second as long as some of it is left', async () => {
  const { result } = await inSetup(() => useCountdown(new Date('2026-11-26T14:00:00.200Z')))
  expect(result.secondsLeft.value).toBe(1)
})

it.each([
  ['2026-11-26T14:04:32Z', '4:32'],
  ['2026-11-26T14:00:05Z', '0:05'],
  ['2026-11-26T15:04:32Z', '1:04:32'],
  ['2026-11-26T13:00:00Z', '0:00'],
])('shows what is left until %s as %s', async (until, clock) => {
  const { result } = await inSetup(() => useCountdown(until))
  expect(result.clock.value).toBe(clock)
})

it('follows another moment, and has nothing to say while there is none', async () => {
  const until = ref<string | null>(null)
  const { result } = await inSetup(() => useCountdown(until))
  expect([result.secondsLeft.value, result.isOver.value, result.clock.value]).toEqual([
    null,
    false,
    '',
  ])
  until.value = '2026-11-26T14:10:00Z'
  await nextTick()
  expect(result.clock.value).toBe('10:00')
})
