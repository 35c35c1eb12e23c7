import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useSession } from '@/stores/session'
import { inSetup } from '@/test/in-setup'
import { settled } from '@/test/page'
import { aUser } from '@/test/people'
import { useServer } from '@/test/server'
import { useFormat } from './useFormat'

useServer()
enableAutoUnmount(afterEach)

const BERLIN = 'Europe/Berlin'
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

beforeEach(() => {
  vi.useFakeTimers({
    now: new Date('2026-11-26T14:00:00Z'),
    toFake: ['Date', 'setInterval', 'clearInterval'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

async function formats() {
  const { result } = await inSetup(useFormat)
  // The installation's locale comes from the API.
  await settled(() => result.time('2026-11-26T17:30:00Z', BERLIN) === '18:30')
  return result
}

describe('useFormat', () => {
  it('names the days around today, in the zone of the place', async () => {
    const { day, dayTime } = await formats()
    expect(day('2026-11-26T22:59:00Z', BERLIN)).toBe('Today')
    expect(day('2026-11-26T23:00:00Z', BERLIN)).toBe('Tomorrow')
    expect(day('2026-11-25T12:00:00Z', BERLIN)).toBe('Yesterday')
    expect(day('2026-11-30T12:00:00Z', BERLIN)).toMatch(/^Mon,? 30 Nov$/)
    expect(dayTime('2026-11-26T17:30:00Z', BERLIN)).toBe('Today, 18:30')
  })

  it('says the second day of a window only when it is another one', async () => {
    const { window } = await formats()
    expect(window('2026-11-26T17:30:00Z', '2026-11-26T20:30:00Z', BERLIN)).toBe(
      'Today, 18:30 – 21:30',
    )
    expect(window('2026-11-26T17:30:00Z', '2026-11-26T23:30:00Z', BERLIN)).toBe(
      'Today, 18:30 – Tomorrow, 00:30',
    )
  })

  it('says lengths in the parts that they have', async () => {
    const { length } = await formats()
    expect([0, 15, 60, 105, 1440, 1440 + 61, 2 * 1440].map(length)).toEqual([
      '0 min',
      '15 min',
      '1 h',
      '1 h 45 min',
      '1 day',
      '1 day 1 h 1 min',
      '2 days',
    ])
  })

  it('writes money in full and in brief', async () => {
    const { money, moneyBrief } = await formats()
    expect([money(16_500, 'EUR'), moneyBrief(16_500, 'EUR')]).toEqual(['€165.00', '€165'])
  })

  it('writes as the person who is signed in does, when that can be read', async () => {
    const { money, date } = await formats()
    useSession().update(aUser({ locale: 'de-DE' }))
    expect(plain(money(123_450, 'EUR'))).toBe('1.234,50 €')
    expect(date('2026-11-26T12:00:00Z', BERLIN)).toBe('26. November 2026')
    useSession().update(aUser({ locale: 'en-x' }))
    expect(money(123_450, 'EUR')).toBe('€1,234.50')
  })
})
