import { describe, expect, it } from 'vitest'
import { hasPasswordLength, isEmail, isOwnSecret, isPhone } from './account-rules'

describe('a password', () => {
  it('has 8 to 128 characters, as people count them', () => {
    expect(
      ['1234567', '12345678', '🚗'.repeat(7), '🚗'.repeat(128), 'x'.repeat(129)].map(
        hasPasswordLength,
      ),
    ).toEqual([false, true, false, true, false])
  })

  it('is not what others know of its owner', () => {
    const asha = { name: 'Asha Rao', email: 'Asha.Rao@example.com' }
    for (const known of ['asha rao', ' ASHA RAO ', 'asha.rao@example.com', 'asha.rao']) {
      expect(isOwnSecret(known, asha), known).toBe(false)
    }
    expect(isOwnSecret('asha rao parks', asha)).toBe(true)
    expect(isOwnSecret('', { name: '', email: '' })).toBe(true)
  })
})

it.each([
  ['asha@example.com', true],
  [' asha@example.com ', true],
  ['asha@example', false],
  ['asha example.com', false],
])('%j is an address: %s', (text, is) => {
  expect(isEmail(text)).toBe(is)
})

it.each([
  ['+49 351 123456', true],
  ['0351/12-34', true],
  ['call me', false],
  ['12', false],
])('%j is a telephone number: %s', (text, is) => {
  expect(isPhone(text)).toBe(is)
})
