import { describe, expect, it } from 'vitest'
import { aCoupon } from '@/test/money'
import {
  couponState,
  couponUpdateOf,
  couponValuesOf,
  emptyCoupon,
  isCode,
  isUses,
  newCouponOf,
  parsePercent,
} from './coupon-values'

const ZONE = 'Europe/Berlin'

describe('newCouponOf', () => {
  it('sends basis points or minor units, and days as moments of the zone', () => {
    const typed = {
      ...emptyCoupon(),
      code: ' spring-10 ',
      name: ' Spring ',
      percent: '7,5',
      from: '2026-12-01',
      until: '2026-12-31',
      most_uses: '100',
    }
    expect(newCouponOf(typed, 'EUR', ZONE)).toEqual({
      code: 'spring-10',
      name: 'Spring',
      percent_bp: 750,
      amount_minor: null,
      lot_id: null,
      valid_from: '2026-11-30T23:00:00Z',
      valid_until: '2026-12-31T23:00:00Z',
      most_uses: 100,
      most_uses_per_driver: null,
      active: true,
    })
    const amount = newCouponOf({ ...typed, how: 'amount', amount: '5' }, 'JPY', ZONE)
    expect([amount.percent_bp, amount.amount_minor]).toEqual([null, 5])
  })
})

describe('couponValuesOf', () => {
  it('shows the last day, and gives the same moments back', () => {
    const coupon = aCoupon({
      valid_from: '2026-11-30T23:00:00Z',
      valid_until: '2026-12-31T23:00:00Z',
    })
    const values = couponValuesOf(coupon, ZONE)
    expect([values.from, values.until]).toEqual(['2026-12-01', '2026-12-31'])
    expect(couponUpdateOf(values, ZONE)).toMatchObject({
      valid_from: coupon.valid_from,
      valid_until: coupon.valid_until,
    })
  })
})

describe('couponState', () => {
  const now = new Date('2026-11-26T12:00:00Z')
  it.each([
    [{}, 'active'],
    [{ active: false }, 'off'],
    [{ valid_until: '2026-11-26T11:00:00Z' }, 'over'],
    [{ valid_from: '2026-11-26T13:00:00Z' }, 'early'],
    [{ most_uses: 3, uses: 3 }, 'used'],
    [{ most_uses: 3, uses: 2 }, 'active'],
  ] as const)('of %o is %s', (change, state) => {
    expect(couponState(aCoupon(change), now)).toBe(state)
  })
})

describe('what is typed', () => {
  it('is a percentage above nothing and up to all', () => {
    expect(['15', '7.5', '100', '0', '0,01', '101', ''].map(parsePercent)).toEqual([
      1500,
      750,
      10_000,
      undefined,
      1,
      undefined,
      undefined,
    ])
  })
  it('is a code of letters and digits', () => {
    expect(['WINTER24', 'two-parts', 'ab', 'a--b', 'x_y_z', '-abc'].map(isCode)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })
  it('is a number of uses, or nothing', () => {
    expect(['', '1', '1000000', '0', '1000001', '1.5'].map(isUses)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
