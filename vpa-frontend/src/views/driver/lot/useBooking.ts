import { computed, ref, watch } from 'vue'
import { useRouter } from 'vue-router'
import type { SpotState, Window } from '@/api/lots'
import type { Reservation } from '@/api/reservations'
import { useHold, type BayWish } from '@/composables/useHold'
import { useVehicleQuery } from '@/composables/useVehicleQuery'
import { useWindowQuery } from '@/composables/useWindowQuery'
import { sayError } from '@/composables/useToast'
import { fittingKinds } from '@/features/bay-map/fit'
import { usePayment } from '@/features/checkout/usePayment'
import { isApiError } from '@/lib/errors'
import { toIso } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'
import { wishOf } from '@/lib/wish'
import { useQuote } from '@/queries/quotes'
import { useVehicles } from '@/queries/vehicles'
import { useSession } from '@/stores/session'
import { useLotQuery } from './useLotQuery'

const SIGN_IN = ['sign-in', 'register', 'verify']

/** Time and vehicle of a hold, as the address has them. */
const addressOf = (held: Reservation) => ({
  from: toIso(new Date(held.starts_at)),
  to: toIso(new Date(held.ends_at)),
  vehicle: String(held.vehicle.id),
})

/** Booking in one lot: from a time and a vehicle to a price, from that to a held bay, and to its payment. */
export function useBooking(lotId: number) {
  const router = useRouter()
  const session = useSession()
  const time = useWindowQuery()
  const vehicles = useVehicleQuery()
  const list = useVehicles(() => session.isDriver)
  const owned = list.data

  const isLeft = ref(false)
  const query = useLotQuery({
    onLeave(to) {
      // Whoever signs in comes back.
      if (SIGN_IN.includes(String(to.name))) return
      isLeft.value = true
      // The page of the lot that the hold is in goes on with it.
      if (to.query['hold'] !== String(query.holdId.value)) void hold.release()
    },
  })

  const openTicket = (id: number) => void router.replace({ name: 'ticket', params: { id } })

  const payment = usePayment({
    reservationId: query.holdId,
    isBlocked: () => hold.asked.value !== undefined,
    onPaid: openTicket,
    onHoldOver: () => void hold.reload(),
  })
  const hasPermit = computed(() => session.user?.accessible_permit ?? false)
  const kinds = computed(() => fittingKinds(vehicles.wish.value, hasPermit.value))
  const kind = computed(() => {
    const wished = query.kind.value
    return wished && kinds.value.includes(wished) ? wished : undefined
  })
  /** The coupon that counts; one that was refused takes itself off. */
  const coupon = ref<string>()
  const couponError = ref('')
  const isTryingCoupon = ref(false)
  const wish = computed(() => ({
    lot_id: lotId,
    ...time.window.value,
    vehicle_id: vehicles.vehicle.value?.id ?? null,
    // A guest's motorcycle or van is known by the only kind of bay that it fits.
    spot_kind:
      kind.value ??
      (!vehicles.vehicle.value && kinds.value.length === 1 ? (kinds.value[0] ?? null) : null),
    ...(coupon.value && { coupon: coupon.value }),
  }))
  const hold = useHold({
    id: query.holdId,
    isPaying: payment.isUnderWay,
    isLeft,
    price: (isNew) => quote.price(wish.value, isNew),
    onPaid: ({ id }) => openTicket(id),
    onEnded: ({ spotId }) => void query.set({ bay: spotId }),
    onFree: ({ spotId }) => void query.set({ bay: spotId }),
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

  // With another time it may count no longer: the price then is that without it.
  watch(quote.error, (error) => {
    if (!isApiError(error, 'coupon-not-valid')) return
    couponError.value = error.message
    coupon.value = undefined
  })

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
      payment.reset()
      void payment.takeUp(id)
    },
    { immediate: true },
  )

  // Back may lead to an address with another time: what is shown is what the next bay is held for.
  watch(
    () => {
      const current = held.value
      const isAway = !current || current.lot.id !== lotId || hold.asked.value !== undefined
      return !isAway && !query.has(addressOf(current)) ? current : undefined
    },
    (current) => {
      if (current) void query.set(addressOf(current))
    },
    { immediate: true },
  )
  // A payment may have gone through before its hold was over.
  watch(
    () =>
      payment.state.value.name === 'no-answer' &&
      query.holdId.value !== undefined &&
      !held.value &&
      !hold.isLoading.value,
    (isOver) => {
      if (isOver) void payment.lookUp()
    },
  )

  /** Nothing is changed while a bay is being asked for or paid. */
  const isFixed = computed(() => payment.isUnderWay.value || hold.asked.value !== undefined)
  /** The address names a hold, and whether there is one is not known. */
  const isUnknown = computed(
    () => session.isDriver && query.holdId.value !== undefined && !held.value,
  )

  /** Asks for a bay at the time that is shown, or after what `prepare` changes. */
  function take(bay: Omit<BayWish, 'vehicleId'> = {}, prepare = showHeld) {
    const vehicleId = vehicle.value?.id
    return vehicleId === undefined
      ? Promise.resolve(undefined)
      : hold.take({ ...bay, vehicleId }, prepare)
  }
  async function showHeld(): Promise<void> {
    if (held.value) await query.set(addressOf(held.value))
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
    isFixed,
    isUnknown,
    coupon,
    couponError,
    isTryingCoupon,
    take,

    applyCoupon,
    removeCoupon: () => (isFixed.value ? Promise.resolve() : changeCoupon(undefined)),

    /** A bay is picked on the plan: held at once, where it can be. */
    async pick(bay: SpotState): Promise<void> {
      if (isFixed.value || isUnknown.value) return
      hold.clear()
      if (kind.value && kind.value !== bay.kind) await query.set({ kind: undefined })
      if (canHold.value && (await costs())) await take({ spotId: bay.id, label: bay.label })
      else await query.set({ bay: bay.id })
    },
    /** The choice is left to the system. */
    async free(): Promise<void> {
      if (isFixed.value) return
      if (held.value) await take()
      else await query.set({ bay: undefined })
    },
    async changeTime(span: TimeSpan): Promise<void> {
      if (isFixed.value) return
      const change = () => query.inTurn(() => time.setSpan(span))
      const bay = same()
      if (!bay) {
        hold.clear()
        await change()
      } else if (!isHeldFor(span)) await take(bay, change)
    },
    async changeVehicle(value: string): Promise<void> {
      if (isFixed.value) return
      const change = () => query.inTurn(() => vehicles.choose(value))
      const before = held.value
      if (!before) {
        hold.clear()
        await change()
        return
      }
      // Another vehicle may need a bay of another kind.
      const next = owned.value?.find((each) => String(each.id) === value)
      const fits = next && fittingKinds(wishOf(next), hasPermit.value).includes(before.spot.kind)
      await hold.take({ ...(fits && same()), vehicleId: Number(value) }, async () => {
        await showHeld()
        await change()
      })
    },
    async changeKind(value: SpotState['kind'] | undefined): Promise<void> {
      if (isFixed.value) return
      const change = () => query.set({ kind: value })
      const before = held.value
      if (before && value && before.spot.kind !== value) {
        await take({}, async () => {
          await showHeld()
          await change()
        })
      } else {
        hold.clear()
        await change()
      }
    },
  }

  /** Prices the wish with a code; what is held already is held anew at that price. */
  async function applyCoupon(code: string): Promise<void> {
    if (isFixed.value || isTryingCoupon.value) return
    isTryingCoupon.value = true
    couponError.value = ''
    try {
      await quote.price({ ...wish.value, coupon: code })
      await changeCoupon(code)
    } catch (error) {
      couponError.value = sayError(error)
    } finally {
      isTryingCoupon.value = false
    }
  }
  async function changeCoupon(code: string | undefined): Promise<void> {
    const set = () => {
      coupon.value = code
      return Promise.resolve()
    }
    const bay = same()
    if (bay) await take(bay, set)
    else await set()
  }

  function isHeldFor({ from, to }: TimeSpan): boolean {
    const current = held.value
    return (
      current !== undefined &&
      from.getTime() === Date.parse(current.starts_at) &&
      to.getTime() === Date.parse(current.ends_at)
    )
  }

  /** Whether there is something to pay; without a price nothing is held. */
  async function costs(): Promise<boolean> {
    if (held.value) return true
    const known = await quote.price(wish.value).catch(() => undefined)
    return known !== undefined && known.total_minor > 0
  }
}
