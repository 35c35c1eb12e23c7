import { expect, it } from 'vitest'
import { isLocale } from './locale'

it.each(['en-IE', 'de', 'hi-IN'])('takes %j', (tag) => {
  expect(isLocale(tag)).toBe(true)
})

it.each(['', 'en-US@posix', 'en-x', 'c'])(
  'does not take %j, by which nothing can be written',
  (tag) => {
    expect(isLocale(tag)).toBe(false)
  },
)
