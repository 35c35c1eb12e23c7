import { computed, watch } from 'vue'
import { useRouter } from 'vue-router'
import type { SpotState, Window } from '@/api/lots'
import { useHold, type BayWish } from '@/composables/useHold'
import { useVehicleQuery } from '@/composables/useVehicleQuery'
import { useWindowQuery } from '@/composables/useWindowQuery'
import { fittingKinds } from '@/features/bay-map/fit'
import { usePayment } from '@/features/checkout/usePayment'
import { toIso } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'
import { useQuote } from '@/queries/quotes'
import { useVehicles } from '@/queries/vehicles'
import { useSession } from '@/stores/session'
import { useLotQuery } from './useLotQuery'

const SIGN_IN = ['sign-in', 'register', 'verify']

/** Booking in one lot: from a time and a vehicle to a price, from that to a held bay, and to its payment. */
export function useBooking(lotId: number) {
  const router = useRouter()
  const session = useSession()
  const time = useWindowQuery()
  const vehicles = useVehicleQuery()
  const list = useVehicles(() => session.isDriver)
  const owned = list.data

  const query = useLotQuery({
    onLeave(to) {
      // Whoever signs in comes back; a payment under way decides about the bay by itself.
      if (!payment.isUnderWay.value && !SIGN_IN.includes(String(to.name))) void hold.release()
    },
  })

  const openTicket = (id: number) => void router.replace({ name: 'ticket', params: { id } })

  const payment = usePayment({
    reservationId: query.holdId,
    onPaid: openTicket,
    onHoldOver: () => void hold.reload(),
  })
  const kinds = computed(() => fittingKinds(vehicles.wish.value))
  const kind = computed(() => {
    const wished = query.kind.value
    return wished && kinds.value.includes(wished) ? wished : undefined
  })
  const wish = computed(() => ({
    lot_id: lotId,
    ...time.window.value,
    vehicle_id: vehicles.vehicle.value?.id ?? null,
    // A guest's motorcycle or van is known by the only kind of bay that it fits.
    spot_kind:
      kind.value ??
      (!vehicles.vehicle.value && kinds.value.length === 1 ? (kinds.value[0] ?? null) : null),
  }))
  const hold = useHold({
    id: query.holdId,
    isPaying: payment.isUnderWay,
    price: (isNew) => quote.price(wish.value, isNew),
    onPaid: ({ id }) => openTicket(id),
    onEnded: ({ spotId }) => void query.set({ bay: spotId }),
  })
  const quote = useQuote(() =>
    vehicles.isReady.value &&
    !hold.held.value &&
    !hold.isLoading.value &&
    payment.state.value.name !== 'paid' &&
    !query.isLeaving.value
      ? wish.value
      : undefined,
  )

  const held = hold.held
  /** What the card tells: of the hold, once there is one. */
  const price = computed(() => held.value?.quote ?? quote.data.value)
  const policy = computed(() => held.value?.refund_policy ?? quote.data.value?.refund_policy)
  const window = computed<Window>(() =>
    held.value
      ? { starts_at: held.value.starts_at, ends_at: held.value.ends_at }
      : time.window.value,
  )
  const vehicle = computed(() => {
    const id = held.value?.vehicle.id
    return owned.value?.find((each) => each.id === id) ?? vehicles.vehicle.value
  })
  /** Booking costs nothing, so there is nothing to hold a bay for: it is booked at a tap. */
  const isFree = computed(() => price.value?.total_minor === 0)
  const canHold = computed(() => session.isDriver && vehicle.value !== undefined)

  // The address tells of the hold that is paid, also where it was opened from elsewhere.
  watch(
    () => held.value?.id,
    (id) => {
      const current = held.value
      if (id === undefined || !current) return
      if (current.lot.id !== lotId) {
        void router.replace({ name: 'lot', params: { id: current.lot.id }, query: { hold: id } })
        return
      }
      void query.set({
        from: toIso(new Date(current.starts_at)),
        to: toIso(new Date(current.ends_at)),
        vehicle: String(current.vehicle.id),
      })
      payment.reset()
      void payment.takeUp(id)
    },
    { immediate: true },
  )

  function take(bay: Pick<BayWish, 'spotId' | 'label'> = {}) {
    const vehicleId = vehicle.value?.id
    return vehicleId === undefined ? Promise.resolve(undefined) : hold.take({ ...bay, vehicleId })
  }

  /** The bay that goes along when time or vehicle change. */
  const same = () => held.value && { spotId: held.value.spot.id, label: held.value.spot.label }

  return {
    time,
    vehicles,
    owned: computed(() => owned.value ?? []),
    /** The driver's vehicles did not come. */
    vehiclesError: list.error,
    reloadVehicles: () => void list.refetch(),
    /** There is no vehicle to book for: it has to be added first. */
    isLacking: computed(() => session.isDriver && owned.value?.length === 0),
    query,
    hold,
    payment,
    quote,
    kinds,
    kind,
    price,
    policy,
    window,
    vehicle,
    isFree,
    canHold,
    take,

    /** A bay is picked on the plan: held at once, where it can be. */
    async pick(bay: SpotState): Promise<void> {
      if (payment.isUnderWay.value || hold.isLoading.value) return
      hold.clear()
      if (kind.value && kind.value !== bay.kind) await query.set({ kind: undefined })
      if (canHold.value && (await costs())) await take({ spotId: bay.id, label: bay.label })
      else await query.set({ bay: bay.id })
    },
    /** The choice is left to the system. */
    async free(): Promise<void> {
      if (held.value) await take()
      else await query.set({ bay: undefined })
    },
    async changeTime(span: TimeSpan): Promise<void> {
      const bay = same()
      hold.clear()
      await query.inTurn(() => time.setSpan(span))
      if (bay) await take(bay)
    },
    async changeVehicle(value: string): Promise<void> {
      const before = held.value
      const bay = same()
      hold.clear()
      await query.inTurn(() => vehicles.choose(value))
      if (!before) return
      // Another vehicle may need a bay of another kind.
      const fits = kinds.value.includes(before.spot.kind)
      await hold.take({ ...(fits && bay), vehicleId: Number(value) })
    },
    async changeKind(value: SpotState['kind'] | undefined): Promise<void> {
      const before = held.value
      hold.clear()
      await query.set({ kind: value })
      if (before && value && before.spot.kind !== value) await take()
    },
  }

  /** Whether there is something to pay; without a price nothing is held. */
  async function costs(): Promise<boolean> {
    if (held.value) return true
    const known = await quote.price(wish.value).catch(() => undefined)
    return known !== undefined && known.total_minor > 0
  }
}
