import { useTranslation } from 'i18next-vue'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { Vehicle } from '@/api/vehicles'
import { vehicleName } from '@/lib/vehicle-name'
import { GUEST_VEHICLES, isGuestVehicle, pickVehicle, wishOf, wishOfGuest } from '@/lib/wish'
import { useVehicles } from '@/queries/vehicles'
import { usePrefs } from '@/stores/prefs'
import { useSession } from '@/stores/session'

/**
 * For which vehicle a bay is looked for. It lives in the address as `vehicle`: the id of one of the driver's
 * own, or a kind for those who have none yet. Without it, it is the one that was used last.
 */
export function useVehicleQuery() {
  const { t } = useTranslation()
  const route = useRoute()
  const router = useRouter()
  const session = useSession()
  const prefs = usePrefs()
  const { data, isPending } = useVehicles(() => session.isDriver)

  const owned = computed<Vehicle[]>(() => (session.isDriver ? (data.value ?? []) : []))
  /** The driver's own, once known; undefined for guests. */
  const vehicle = computed(() =>
    pickVehicle(owned.value, route.query['vehicle'], prefs.lastVehicleId),
  )
  const guestVehicle = computed(() =>
    isGuestVehicle(route.query['vehicle']) ? route.query['vehicle'] : 'car',
  )

  return {
    vehicle,
    /** Whether the vehicle can be told yet: those of a driver come from the server. */
    isReady: computed(() => !session.isDriver || !isPending.value),
    wish: computed(() => (vehicle.value ? wishOf(vehicle.value) : wishOfGuest(guestVehicle.value))),
    /** As it stands in the address. */
    value: computed(() => (vehicle.value ? String(vehicle.value.id) : guestVehicle.value)),
    /** To choose among. */
    options: computed(() =>
      owned.value.length > 0
        ? owned.value.map((each) => ({ value: String(each.id), label: nameOf(each) }))
        : GUEST_VEHICLES.map((value) => ({
            value: value as string,
            label: t(value === 'electric-car' ? 'vehicleKind.electricCar' : `vehicleKind.${value}`),
          })),
    ),
    async choose(value: string): Promise<void> {
      if (!isGuestVehicle(value)) prefs.lastVehicleId = Number(value)
      await router.replace({ query: { ...route.query, vehicle: value } })
    },
  }

  function nameOf(each: Vehicle): string {
    const name = vehicleName(each, t(`vehicleKind.${each.kind}`))
    return t('vehicleKind.named', { name, plate: each.plate })
  }
}
