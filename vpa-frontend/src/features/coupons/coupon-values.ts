import type { Coupon, CouponCreate, CouponUpdate } from '@/api/coupons'
import { momentsOf } from '@/lib/list-address'
import { parseMoney } from '@/lib/money'
import { toWall } from '@/lib/time'

/** A coupon as it is typed: percent and money in units, days of the installation's zone. */
export type CouponValues = {
  code: string
  name: string
  how: 'percent' | 'amount'
  percent: string
  amount: string
  lot_id: number | undefined
  from: string
  until: string
  most_uses: string
  most_uses_per_driver: string
}

export const MOST_USES = 1_000_000

export const emptyCoupon = (): CouponValues => ({
  code: '',
  name: '',
  how: 'percent',
  percent: '',
  amount: '',
  lot_id: undefined,
  from: '',
  until: '',
  most_uses: '',
  most_uses_per_driver: '',
})

export const couponValuesOf = (coupon: Coupon, zone: string): CouponValues => ({
  ...emptyCoupon(),
  code: coupon.code,
  name: coupon.name,
  lot_id: coupon.lot_id ?? undefined,
  from: coupon.valid_from ? toWall(coupon.valid_from, zone).slice(0, 10) : '',
  // It ends with its last day, at the midnight after it.
  until: coupon.valid_until
    ? toWall(new Date(Date.parse(coupon.valid_until) - 1), zone).slice(0, 10)
    : '',
  most_uses: coupon.most_uses?.toString() ?? '',
  most_uses_per_driver: coupon.most_uses_per_driver?.toString() ?? '',
})

/** What of a coupon may change when drivers know it. */
export function couponUpdateOf(values: CouponValues, zone: string): CouponUpdate {
  const { from, to } = momentsOf({ from: values.from, to: values.until }, zone)
  const uses = (typed: string) => (typed.trim() ? Number(typed) : null)
  return {
    name: values.name.trim(),
    valid_from: from ?? null,
    valid_until: to ?? null,
    most_uses: uses(values.most_uses),
    most_uses_per_driver: uses(values.most_uses_per_driver),
  }
}

export const newCouponOf = (
  values: CouponValues,
  currency: string,
  zone: string,
): CouponCreate => ({
  ...(couponUpdateOf(values, zone) as Required<CouponUpdate>),
  code: values.code.trim(),
  percent_bp: values.how === 'percent' ? (parsePercent(values.percent) ?? 0) : null,
  amount_minor: values.how === 'amount' ? (parseMoney(values.amount, currency) ?? 0) : null,
  lot_id: values.lot_id ?? null,
  active: true,
})

/** A typed percentage above nothing and up to all, as basis points: "7.5" is 750. */
export function parsePercent(typed: string): number | undefined {
  // eslint-disable-next-line security/detect-unsafe-regex -- what it repeats is told apart by the first sign
  const match = /^(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(typed.trim())
  if (!match?.[1]) return undefined
  const points = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'))
  return points >= 1 && points <= 10_000 ? points : undefined
}

export const isCode = (typed: string): boolean =>
  typed.trim().length >= 3 &&
  typed.trim().length <= 40 &&
  // eslint-disable-next-line security/detect-unsafe-regex -- each repetition begins with a sign of its own
  /^[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*$/.test(typed.trim())

export function isUses(typed: string): boolean {
  const text = typed.trim()
  return text === '' || (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST_USES)
}

export type CouponState = 'active' | 'off' | 'early' | 'over' | 'used'

/** Whether a coupon counts now, and if not, why. */
export function couponState(coupon: Coupon, now: Date): CouponState {
  if (!coupon.active) return 'off'
  if (coupon.valid_until && new Date(coupon.valid_until) <= now) return 'over'
  if (coupon.valid_from && new Date(coupon.valid_from) > now) return 'early'
  if (coupon.most_uses !== null && coupon.uses >= coupon.most_uses) return 'used'
  return 'active'
}
