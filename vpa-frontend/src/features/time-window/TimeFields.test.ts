import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { toIso } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'
import { given } from '@/test/page'
import { showPart } from '@/test/part'
import TimeFields from './TimeFields.vue'

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

function show() {
  const taken: TimeSpan[] = []
  const fields = showPart(TimeFields, {
    props: {
      modelValue: {
        from: new Date('2026-11-26T17:30:00Z'),
        to: new Date('2026-11-26T19:30:00Z'),
      },
      zone: 'Europe/Berlin',
      'onUpdate:modelValue': (next: TimeSpan) => void taken.push(next),
    },
  })
  const input = (name: string) => fields.find(`input[aria-label="${name}"]`)
  return {
    fields,
    taken,
    input,
    value: (name: string) => (input(name).element as HTMLInputElement).value,
    async type(name: string, value: string) {
      ;(input(name).element as HTMLInputElement).value = value
      await input(name).trigger('change')
    },
    said: () => fields.findAll('.error').map((each) => each.text()),
  }
}

it('shows the times on the clock of the car parks', () => {
  const { value } = show()
  expect(value('Arrive: date')).toBe('2026-11-26')
  expect(value('Arrive: time')).toBe('18:30')
  expect(value('Leave: time')).toBe('20:30')
})

it('moves the departure with the arrival', async () => {
  const { type, taken } = show()
  await type('Arrive: date', '2026-12-24')
  expect(taken.map(({ from, to }) => [toIso(from), toIso(to)])).toEqual([
    ['2026-12-24T17:30:00Z', '2026-12-24T19:30:00Z'],
  ])
})

it.each([
  ['Arrive: date', '2026-11-25', 'Choose a time that is still to come.'],
  ['Arrive: date', '2027-11-25', 'Choose a day within the next 90 days.'],
  ['Leave: date', '2026-11-25', 'Choose a time after the arrival.'],
  ['Leave: time', '18:40', 'Stay for at least 15 minutes.'],
  ['Leave: date', '2027-01-25', 'Stay for 30 days at most.'],
])('tells what is wrong with %s %s, and does not take it', async (name, value, message) => {
  const { type, taken, said, input } = show()
  await type(name, value)
  expect(said()).toEqual([message])
  expect(input(name).attributes('aria-invalid')).toBe('true')
  expect(taken).toEqual([])
})

it('takes it once it is mended', async () => {
  const { type, taken, said } = show()
  await type('Leave: time', '18:00')
  await type('Leave: time', '23:00')
  expect(said()).toEqual([])
  expect(toIso(given(taken[0]).to)).toBe('2026-11-26T22:00:00Z')
})
