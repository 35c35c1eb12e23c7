import type { Fetch, LaterFile } from '.'

/** Words of pages that few open, and of what comes later on a page. */
export const later: Fetch<LaterFile> = {
  checkout: () => import('./en/checkout'),
  empty: () => import('./en/empty'),
  locate: () => import('./en/locate'),
  map: () => import('./en/map'),
  facts: () => import('./en/facts'),
  stay: () => import('./en/stay'),
  waitlist: () => import('./en/waitlist'),
  reviews: () => import('./en/reviews'),
  receipts: () => import('./en/receipts'),
  lists: () => import('./en/lists'),
  ops: () => import('./en/ops'),
  admin: () => import('./en/admin'),
  tariff: () => import('./en/tariff'),
  closing: () => import('./en/closing'),
  desk: () => import('./en/desk'),
  money: () => import('./en/money'),
  coupons: () => import('./en/coupons'),
  moderation: () => import('./en/moderation'),
  system: () => import('./en/system'),
  people: () => import('./en/people'),
  audit: () => import('./en/audit'),
  gate: () => import('./en/gate'),
  gallery: () => import('./en/gallery'),
}
