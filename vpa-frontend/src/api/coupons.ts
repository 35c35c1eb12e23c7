import { call, type Schema } from './http'
import type { operations } from './schema'

export type Coupon = Schema<'Coupon'>
export type CouponCreate = Schema<'CouponCreate'>
export type CouponUpdate = Schema<'CouponUpdate'>
export type CouponQuery = NonNullable<operations['getCouponList']['parameters']['query']>

export const listCoupons = (query: CouponQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/coupons', { query, signal })

export const createCoupon = (body: CouponCreate, idempotencyKey: string) =>
  call('post', '/api/v1/coupons', { body, idempotencyKey })

export const changeCoupon = (couponId: number, body: CouponUpdate) =>
  call('patch', '/api/v1/coupons/{coupon_id}', { path: { coupon_id: couponId }, body })
