import { describe, expect, it } from 'vitest'
import { currencyDigits, formatMoney, formatMoneyBrief, parseMoney, writeMoney } from './money'

/** Intl puts no-break spaces of two widths between a number and its sign. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

describe('currencyDigits', () => {
  it.each([
    ['EUR', 2],
    ['INR', 2],
    ['JPY', 0],
    ['KWD', 3],
  ])('knows that %s has %i', (currency, digits) => {
    expect(currencyDigits(currency)).toBe(digits)
  })
})

describe('formatMoney', () => {
  it.each([
    [16_500, 'INR', 'en-IN', '₹165.00'],
    [10_418_000, 'INR', 'en-IN', '₹1,04,180.00'],
    [123_450, 'EUR', 'de-DE', '1.234,50 €'],
    [123_450, 'EUR', 'en-IE', '€1,234.50'],
    [500, 'JPY', 'en-US', '¥500'],
    [12_345, 'KWD', 'en-US', 'KWD 12.345'],
    [5, 'EUR', 'en-IE', '€0.05'],
    [0, 'EUR', 'en-IE', '€0.00'],
    [-450, 'EUR', 'en-IE', '-€4.50'],
  ])('writes %i minor units of %s in %s as %s', (minor, currency, locale, written) => {
    expect(plain(formatMoney(minor, currency, locale))).toBe(written)
  })

  it('leaves the decimals of a whole amount out when brief, and only those', () => {
    expect(formatMoneyBrief(16_500, 'INR', 'en-IN')).toBe('₹165')
    expect(formatMoneyBrief(16_550, 'INR', 'en-IN')).toBe('₹165.50')
    expect(plain(formatMoneyBrief(400, 'EUR', 'de-DE'))).toBe('4 €')
    expect(formatMoneyBrief(500, 'JPY', 'en-US')).toBe('¥500')
  })
})

describe('parseMoney', () => {
  it.each([
    ['4.5', 'EUR', 450],
    ['4,50', 'EUR', 450],
    [' 4 ', 'EUR', 400],
    ['0.29', 'EUR', 29],
    ['1.005', 'KWD', 1005],
    ['500', 'JPY', 500],
    ['999999999.99', 'EUR', 99_999_999_999],
  ])('reads %j %s as %i', (typed, currency, minor) => {
    expect(parseMoney(typed, currency)).toBe(minor)
  })

  it.each([
    ['4.505', 'EUR'],
    ['4.5', 'JPY'],
    ['-4', 'EUR'],
    ['1,234.50', 'EUR'],
    ['.5', 'EUR'],
    ['4.', 'EUR'],
    ['four', 'EUR'],
    ['', 'EUR'],
    ['1e3', 'EUR'],
  ])('does not guess at %j %s', (typed, currency) => {
    expect(parseMoney(typed, currency)).toBeUndefined()
  })
})

describe('writeMoney', () => {
  it.each([
    [450, 'EUR', '4.50'],
    [500, 'JPY', '500'],
    [1005, 'KWD', '1.005'],
  ])('writes %i of %s as %s, which is read as the same', (minor, currency, written) => {
    expect(writeMoney(minor, currency)).toBe(written)
    expect(parseMoney(written, currency)).toBe(minor)
  })
})
