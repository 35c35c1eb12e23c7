import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useNow } from './useNow'

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-26T14:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

function look() {
  const scope = effectScope()
  const now = scope.run(useNow)
  return { told: () => now?.value.toISOString().slice(11, 19), stop: () => scope.stop() }
}

it('is told each second, by one clock for all', () => {
  const one = look()
  const other = look()
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(3000)
  expect([one.told(), other.told()]).toEqual(['14:00:03', '14:00:03'])
  one.stop()
  vi.advanceTimersByTime(1000)
  expect(other.told()).toBe('14:00:04')
  other.stop()
  expect(vi.getTimerCount()).toBe(0)
})

it('starts with the time that it is, not with that of the last look', () => {
  look().stop()
  vi.advanceTimersByTime(600_000)
  const again = look()
  expect(again.told()).toBe('14:10:00')
  again.stop()
})
