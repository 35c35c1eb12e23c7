import type { SpotKind } from '@/api/lots'
import type { VehicleWish } from '@/lib/wish'

const FITS: Record<VehicleWish['vehicle_kind'], readonly SpotKind[]> = {
  car: ['standard', 'compact', 'large'],
  motorcycle: ['motorcycle'],
  van: ['large'],
}

/** The kinds of bay that a vehicle may use, and with a permit its driver, as the API judges it. */
export function fittingKinds(
  { vehicle_kind: kind, electric }: VehicleWish,
  hasPermit: boolean,
): readonly SpotKind[] {
  return [
    ...FITS[kind],
    ...(kind === 'car' && electric ? (['electric'] as const) : []),
    ...(hasPermit ? (['accessible'] as const) : []),
  ]
}
