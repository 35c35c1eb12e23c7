import type { SpotKind } from '@/api/lots'
import type { VehicleWish } from '@/lib/wish'

const FITS: Record<VehicleWish['vehicle_kind'], readonly SpotKind[]> = {
  car: ['standard', 'compact', 'large'],
  motorcycle: ['motorcycle'],
  van: ['large'],
}

/** The kinds of bay that a vehicle may use, as the API judges it. */
export function fittingKinds({ vehicle_kind: kind, electric }: VehicleWish): readonly SpotKind[] {
  return kind === 'car' && electric ? [...FITS.car, 'electric'] : FITS[kind]
}
