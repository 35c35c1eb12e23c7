import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inSetup } from '@/test/in-setup'
import { readSpan, useWindowQuery } from './useWindowQuery'

enableAutoUnmount(afterEach)

beforeEach(() => {
  vi.useFakeTimers({
    now: new Date('2026-11-26T14:07:30Z'),
    toFake: ['Date', 'setInterval', 'clearInterval'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

const evening = '/?q=altmarkt&from=2026-11-26T17:30:00Z&to=2026-11-26T19:30:00Z'

describe('readSpan', () => {
  it('reads two instants', () => {
    expect(readSpan('2026-11-26T18:30:00+01:00', '2026-11-26T19:30:00Z')).toEqual({
      from: new Date('2026-11-26T17:30:00Z'),
      to: new Date('2026-11-26T19:30:00Z'),
    })
  })

  it.each([
    ['one alone', '2026-11-26T17:30:00Z', undefined],
    ['an end before the start', '2026-11-26T19:30:00Z', '2026-11-26T17:30:00Z'],
    ['a time of no zone', '2026-11-26T17:30:00', '2026-11-26T19:30:00'],
    ['words', 'tonight', 'late'],
    ['a list', ['2026-11-26T17:30:00Z'], '2026-11-26T19:30:00Z'],
    ['a day that is none', '2026-13-26T17:30:00Z', '2026-13-26T19:30:00Z'],
  ])('reads nothing from %s', (_what, from, to) => {
    expect(readSpan(from, to)).toBeUndefined()
  })
})

describe('useWindowQuery', () => {
  it('is what the address says, as the API and as links take it', async () => {
    const { result } = await inSetup(useWindowQuery, evening)
    expect(result.window.value).toEqual({
      starts_at: '2026-11-26T17:30:00Z',
      ends_at: '2026-11-26T19:30:00Z',
    })
    expect(result.query.value).toEqual({ from: '2026-11-26T17:30:00Z', to: '2026-11-26T19:30:00Z' })
  })

  it('is two hours from the next quarter without, and moves on with the clock', async () => {
    const { result } = await inSetup(useWindowQuery)
    const first = result.span.value
    expect(result.query.value.from).toBe('2026-11-26T14:15:00Z')
    vi.advanceTimersByTime(5 * 60_000)
    expect(result.span.value).toBe(first)
    vi.advanceTimersByTime(4 * 60_000)
    expect(result.query.value).toEqual({ from: '2026-11-26T14:30:00Z', to: '2026-11-26T16:30:00Z' })
  })

  it('leaves a time that has passed meanwhile, and keeps the length of the stay', async () => {
    const { result } = await inSetup(useWindowQuery, evening)
    vi.advanceTimersByTime(3.5 * 3_600_000)
    expect(result.query.value).toEqual({ from: '2026-11-26T17:45:00Z', to: '2026-11-26T19:45:00Z' })
  })

  it('writes the address and leaves everything else in it', async () => {
    const { result, router } = await inSetup(useWindowQuery, evening)
    await result.setSpan({
      from: new Date('2026-11-27T08:00:00Z'),
      to: new Date('2026-11-27T09:00:00Z'),
    })
    expect(router.currentRoute.value.query).toEqual({
      q: 'altmarkt',
      from: '2026-11-27T08:00:00Z',
      to: '2026-11-27T09:00:00Z',
    })
    expect(result.span.value.from).toEqual(new Date('2026-11-27T08:00:00Z'))
  })
})
