import type { VehicleWish } from './wish'

interface Offer {
  available: number
  capacity: number
  bookable: boolean
}

/** For what bays are counted. Only those for cars are most of a lot: other counts have no whole to compare. */
export type BayWish = 'car' | 'motorcycle' | 'van' | 'charging'

export const bayWishOf = (wish: VehicleWish, isCharging: boolean): BayWish =>
  isCharging && wish.vehicle_kind === 'car' ? 'charging' : wish.vehicle_kind

/** How a lot stands for the time and the vehicle: plenty, going fast, or nothing to book. */
export type Standing = 'plenty' | 'few' | 'none'

/** A tenth or less is going fast; of a kind that has few bays anyhow, the last one. */
export function standingOf(offer: Offer, wish: BayWish): Standing {
  if (!offer.bookable || offer.available === 0) return 'none'
  const few = wish === 'car' ? offer.capacity / 10 : 1
  return offer.available <= few ? 'few' : 'plenty'
}
