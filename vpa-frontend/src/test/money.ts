import type { AdminPayment, Refund } from '@/api/admin-payments'
import type { ModeratedReview } from '@/api/admin-reviews'
import type { Coupon } from '@/api/coupons'

/** A payment that went well, unless told otherwise. */
export const anAdminPayment = (change: Partial<AdminPayment> = {}): AdminPayment => ({
  id: 21,
  reservation_id: 7,
  code: 'VV-8F3K-29QX',
  purpose: 'booking',
  method: 'sandbox',
  status: 'succeeded',
  amount_minor: 400,
  refunded_minor: 0,
  currency: 'EUR',
  client_secret: null,
  failure: null,
  created_at: '2026-11-25T08:00:00Z',
  settled_at: '2026-11-25T08:00:02Z',
  receipt_number: 'R-2026-000021',
  review_reason: null,
  received_minor: null,
  ...change,
})

export const aRefund = (change: Partial<Refund> = {}): Refund => ({
  id: 5,
  payment_id: 21,
  reservation_id: 7,
  amount_minor: 100,
  currency: 'EUR',
  status: 'succeeded',
  cause: 'goodwill',
  reason: 'The lift was broken',
  credit_note_number: 'C-2026-000005',
  created_at: '2026-11-25T09:00:00Z',
  settled_at: '2026-11-25T09:00:01Z',
  ...change,
})

export const aCoupon = (change: Partial<Coupon> = {}): Coupon => ({
  id: 4,
  code: 'WINTER24',
  name: 'Winter',
  percent_bp: 1500,
  amount_minor: null,
  lot_id: null,
  valid_from: null,
  valid_until: null,
  most_uses: null,
  most_uses_per_driver: null,
  active: true,
  uses: 2,
  created_at: '2026-11-01T09:00:00Z',
  ...change,
})

export const aModeratedReview = (change: Partial<ModeratedReview> = {}): ModeratedReview => ({
  id: 31,
  author: 'Asha Rao',
  stars: 2,
  text: 'Dark and narrow.',
  created_at: '2026-11-20T09:00:00Z',
  edited_at: null,
  editable_until: '2026-12-04T09:00:00Z',
  reply: null,
  replied_at: null,
  lot: { id: 12, name: 'Altmarkt' },
  reservation_id: 7,
  code: 'VV-8F3K-29QX',
  status: 'published',
  hidden_reason: null,
  ...change,
})
