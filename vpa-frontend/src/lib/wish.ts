/** For what a bay is looked for; the API takes it by these names. */
export interface VehicleWish {
  vehicle_kind: 'car' | 'motorcycle' | 'van'
  electric?: true
  height_cm?: number
}

export const GUEST_VEHICLES = ['car', 'electric-car', 'motorcycle', 'van'] as const
export type GuestVehicle = (typeof GUEST_VEHICLES)[number]

interface Owned {
  id: number
  kind: VehicleWish['vehicle_kind']
  electric: boolean
  height_cm: number | null
  is_default: boolean
}

export const isGuestVehicle = (value: unknown): value is GuestVehicle =>
  GUEST_VEHICLES.some((each) => each === value)

export function wishOfGuest(vehicle: GuestVehicle): VehicleWish {
  return vehicle === 'electric-car'
    ? { vehicle_kind: 'car', electric: true }
    : { vehicle_kind: vehicle }
}

export function wishOf(vehicle: Owned): VehicleWish {
  return {
    vehicle_kind: vehicle.kind,
    ...(vehicle.electric && { electric: true }),
    ...(vehicle.height_cm && { height_cm: vehicle.height_cm }),
  }
}

/**
 * The vehicle that is meant: the one asked for by its id, or one of the kind that was looked for before
 * signing in; else the one used last, the default, the first.
 */
export function pickVehicle<V extends Owned>(
  owned: readonly V[],
  asked: unknown,
  lastId: number | null,
): V | undefined {
  const guest = isGuestVehicle(asked) ? wishOfGuest(asked) : undefined
  const isAlike = (each: V) =>
    each.kind === guest?.vehicle_kind && (!guest.electric || each.electric)
  const usual = [...owned].sort(
    (a, b) =>
      Number(b.id === lastId) - Number(a.id === lastId) ||
      Number(b.is_default) - Number(a.is_default),
  )
  return (
    owned.find((each) => String(each.id) === asked) ?? (guest && usual.find(isAlike)) ?? usual[0]
  )
}
