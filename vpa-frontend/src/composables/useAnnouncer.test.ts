import { expect, it } from 'vitest'
import { useAnnouncer } from './useAnnouncer'

it('says a sentence, and a repeated one so that the region changes', () => {
  const { polite, announce } = useAnnouncer()
  announce('Two bays are free.')
  expect(polite.value).toBe('Two bays are free.')
  announce('Two bays are free.')
  expect(polite.value).not.toBe('Two bays are free.')
  expect(polite.value.trim()).toBe('Two bays are free.')
  announce('Two bays are free.')
  expect(polite.value).toBe('Two bays are free.')
})

it('is one for the whole page', () => {
  useAnnouncer().announce('Held.')
  expect(useAnnouncer().polite.value).toBe('Held.')
})
