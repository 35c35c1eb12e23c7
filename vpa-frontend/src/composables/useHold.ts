import { useQueryClient } from '@tanstack/vue-query'
import { useTranslation } from 'i18next-vue'
import {
  computed,
  onScopeDispose,
  shallowRef,
  toValue,
  watch,
  type MaybeRefOrGetter,
  type Ref,
} from 'vue'
import type { SpotKind, Window } from '@/api/lots'
import type { Quote } from '@/api/quotes'
import type { Reservation, ReservationCreate } from '@/api/reservations'
import { isApiError } from '@/lib/errors'
import { reservationKeys, useReservation, useReservationMutations } from '@/queries/reservations'
import { useSession } from '@/stores/session'
import { useAnnouncer } from './useAnnouncer'
import { useCountdown } from './useCountdown'
import { sayError } from './useToast'

/** What a driver wants held: this bay, or without one, any that fits. */
export interface BayWish {
  vehicleId: number
  spotId?: number
  label?: string
  /** Whoever asked knows that it costs nothing, and is booked at once. */
  mayBeFree?: boolean
}

export interface FreeBay {
  id: number
  label: string
  level: string
  kind: SpotKind
}

export interface NearbyLot {
  id: number
  name: string
  available: number
  price_minor: number
  currency: string
  distance_m: number
  walking_minutes: number
}

/** Why there is no hold, and what can be done about it. */
export type HoldRefusal =
  | {
      kind: 'spot-taken' | 'lot-full'
      wish: BayWish
      bays: FreeBay[]
      lots: NearbyLot[]
      next?: Window
    }
  | { kind: 'ended'; wish: BayWish }
  | { kind: 'too-many-holds' | 'too-many-reservations' | 'vehicle-already-booked'; wish: BayWish }
  /** Bookings that were left without paying all. */
  | { kind: 'debt-stands'; debts: number[] }
  | { kind: 'no-answer'; wish: BayWish }
  | { kind: 'missing' }
  | { kind: 'other'; message: string }

/** The bookings of which something is open, as a refusal lists them. */
function readDebts(listed: unknown): number[] {
  return Array.isArray(listed)
    ? listed.flatMap((each: { id?: unknown }) => (typeof each.id === 'number' ? [each.id] : []))
    : []
}

const OVER: readonly Reservation['status'][] = ['expired', 'cancelled']
/** With so many minutes left it is said aloud. */
const MARKS = [1, 5]
/** From so many seconds on, a driver is asked whether to keep the bay. */
const URGENT_SECONDS = 60
const LOOK_AGAIN_MS = 5_000

/**
 * The bay that is held for a driver while they pay: taking it, keeping it, letting it go, losing it.
 *
 * Which one it is stands in `id`, which lives in the address, so that a reload goes on with it.
 */
export function useHold({
  id,
  isPaying,
  isLeft,
  price,
  onPaid,
  onEnded,
  onFree,
}: {
  id: Ref<number | undefined>
  /** A payment is being decided: whatever becomes of the hold is told after it. */
  isPaying: MaybeRefOrGetter<boolean>
  /** Its driver is on the way to another page. */
  isLeft?: MaybeRefOrGetter<boolean>
  /** The price to hold at; a new one when the one known is refused. */
  price: (isNew: boolean) => Promise<Quote>
  onPaid: (reservation: Reservation) => void
  onEnded: (wish: BayWish) => void
  /** It would cost nothing, which nobody knew who asked: nothing is held, and it takes a tap to book it. */
  onFree: (wish: BayWish) => void
}) {
  const { t } = useTranslation()
  const { announce } = useAnnouncer()
  const queries = useQueryClient()
  const mutations = useReservationMutations()
  const session = useSession()
  // Guests keep the hold in their address; who signs in goes on with it.
  const query = useReservation(() => (session.isDriver ? id.value : undefined))

  /** What is being asked for just now. */
  const asked = shallowRef<BayWish>()
  const refusal = shallowRef<HoldRefusal>()
  /** A request that got no answer; sent again with its key, it has one effect. */
  let unanswered: { body: ReservationCreate; key: string } | undefined
  /** What has to be changed before the wish is asked for; a retry changes it again. */
  let prepared: (() => Promise<unknown>) | undefined

  const reservation = computed(() =>
    id.value !== undefined && query.data.value?.id === id.value ? query.data.value : undefined,
  )
  const held = computed(() =>
    reservation.value?.status === 'held' ? reservation.value : undefined,
  )

  /** Nothing is changed under a request that runs, nor under a payment. */
  const isFixed = () => asked.value !== undefined || toValue(isPaying)

  async function take(
    wish: BayWish,
    prepare?: () => Promise<unknown>,
  ): Promise<Reservation | undefined> {
    if (isFixed()) return undefined
    asked.value = wish
    refusal.value = undefined
    prepared = prepare
    try {
      await prepare?.()
      await settleUnanswered()
      // Without a price the bay before stays held.
      const quote = await price(false)
      if (held.value) {
        await letGo(held.value.id)
        id.value = undefined
      }
      if (quote.total_minor === 0 && !wish.mayBeFree) {
        onFree(wish)
        return undefined
      }
      const made = await hold(wish, quote)
      accept(made)
      return made
    } catch (error) {
      refusal.value = read(error, wish)
      return undefined
    } finally {
      asked.value = undefined
    }
  }

  /** The same again, after there was no answer. */
  async function retry(): Promise<Reservation | undefined> {
    const failed = refusal.value
    if (failed?.kind !== 'no-answer' || isFixed()) return undefined
    if (!unanswered) return await take(failed.wish, prepared)
    asked.value = failed.wish
    refusal.value = undefined
    try {
      const made = await send(unanswered.body, unanswered.key)
      accept(made)
      return made
    } catch (error) {
      refusal.value = read(error, failed.wish)
      return undefined
    } finally {
      asked.value = undefined
    }
  }

  let isGone = false
  onScopeDispose(() => {
    isGone = true
  })

  function accept(made: Reservation): void {
    if (isGone || toValue(isLeft)) {
      // Whoever asked for it has left meanwhile.
      void letGo(made.id).catch(() => undefined)
      return
    }
    queries.setQueryData(reservationKeys.detail(made.id), made)
    id.value = made.id
    if (made.status === 'held') announce(t('lot:hold.made', { label: made.spot.label }))
  }

  async function hold(wish: BayWish, quote: Quote, isNewPrice = false): Promise<Reservation> {
    const body = {
      quote_id: quote.id,
      vehicle_id: wish.vehicleId,
      ...(wish.spotId !== undefined && { spot_id: wish.spotId }),
    }
    try {
      return await send(body, crypto.randomUUID())
    } catch (error) {
      if (isNewPrice || !isApiError(error, 'quote-expired')) throw error
      return await hold(wish, await price(true), true)
    }
  }

  async function send(body: ReservationCreate, key: string): Promise<Reservation> {
    try {
      const made = await mutations.hold.mutateAsync({ body, key })
      unanswered = undefined
      return made
    } catch (error) {
      unanswered = isApiError(error) && error.kind === 'network' ? { body, key } : undefined
      throw error
    }
  }

  /** Another wish comes after one without an answer, which may have been granted all the same. */
  async function settleUnanswered(): Promise<void> {
    if (!unanswered) return
    const { body, key } = unanswered
    let granted: Reservation
    try {
      granted = await send(body, key)
    } catch (error) {
      if (unanswered) throw error
      return
    }
    await letGo(granted.id)
  }

  async function letGo(reservationId: number): Promise<void> {
    try {
      await mutations.cancel.mutateAsync(reservationId)
    } catch (error) {
      // Over already, by whatever way: there is nothing left to let go.
      if (!isApiError(error) || (error.kind !== 'conflict' && error.kind !== 'missing')) throw error
    }
  }

  /** Lets the bay go. What goes wrong is left to time: the hold ends by itself. */
  async function release(): Promise<void> {
    const current = held.value
    // A payment under way decides about the bay by itself.
    if (!current || toValue(isPaying)) return
    id.value = undefined
    await letGo(current.id).catch(() => undefined)
  }

  /** A few minutes more, once. */
  async function keep(): Promise<void> {
    const current = held.value
    if (!current) return
    try {
      const longer = await mutations.prolong.mutateAsync(current.id)
      queries.setQueryData(reservationKeys.detail(longer.id), longer)
      announce(t('lot:hold.kept'))
    } catch (error) {
      if (!isApiError(error) || error.kind !== 'conflict') throw error
      await query.refetch()
    }
  }

  function read(error: unknown, wish: BayWish): HoldRefusal | undefined {
    // Thrown on, it would take the page away, and with it the card that was typed.
    if (!isApiError(error)) return { kind: 'other', message: sayError(error) }
    // Whoever would not sign in again goes on as a guest.
    if (error.kind === 'signed-out') return undefined
    if (error.kind === 'network') return { kind: 'no-answer', wish }
    switch (error.slug) {
      case 'spot-taken':
      case 'lot-full': {
        const found = (error.problem['alternatives'] ?? {}) as {
          spots?: FreeBay[]
          lots?: NearbyLot[]
          next_window?: Window | null
        }
        return {
          kind: error.slug,
          wish,
          bays: found.spots ?? [],
          lots: found.lots ?? [],
          next: found.next_window ?? undefined,
        }
      }
      case 'too-many-holds':
      case 'too-many-reservations':
      case 'vehicle-already-booked':
        return { kind: error.slug, wish }
      case 'debt-stands':
        return { kind: error.slug, debts: readDebts(error.problem['reservations']) }
      default:
        return { kind: 'other', message: sayError(error) }
    }
  }

  watch(
    [reservation, asked, () => toValue(isPaying)],
    ([current]) => {
      if (!current || asked.value || current.status === 'held') return
      if (!OVER.includes(current.status)) {
        onPaid(current)
        return
      }
      if (toValue(isPaying)) return
      const wish = {
        // Only what a gate opened has no vehicle of a driver's.
        vehicleId: current.vehicle.id as number,
        spotId: current.spot.id,
        label: current.spot.label,
      }
      id.value = undefined
      refusal.value = { kind: 'ended', wish }
      onEnded(wish)
    },
    { immediate: true },
  )
  watch(id, (wanted) => {
    if (wanted !== undefined) refusal.value = undefined
  })
  watch(query.error, (error) => {
    if (id.value === undefined || !isApiError(error) || error.kind !== 'missing') return
    id.value = undefined
    refusal.value = { kind: 'missing' }
  })

  const { secondsLeft, isOver, clock } = useCountdown(() => held.value?.hold_expires_at)
  watch(isOver, (over, _, onCleanup) => {
    if (!over) return
    // The server's clock decides, and may be a little behind this one.
    void query.refetch()
    const timer = setInterval(() => void query.refetch(), LOOK_AGAIN_MS)
    onCleanup(() => clearInterval(timer))
  })
  watch(secondsLeft, (left, before) => {
    if (left === null || before === null) return
    const mark = MARKS.find((minutes) => before > minutes * 60 && left <= minutes * 60)
    if (mark) announce(t('lot:hold.left', { count: mark }))
  })

  return {
    held,
    asked,
    refusal,
    isLoading: computed(() => id.value !== undefined && query.isLoading.value),
    /** The reservation did not come, and whether there is one is not known. */
    error: computed(() =>
      id.value !== undefined && !reservation.value ? query.error.value : null,
    ),
    reload: query.refetch,
    isKeeping: mutations.prolong.isPending,
    /** 4:32 */
    clock,
    /** How much of the time is left, from 1 to 0. */
    share: computed(() => {
      const current = held.value
      if (!current?.hold_expires_at || secondsLeft.value === null) return 0
      const whole = Date.parse(current.hold_expires_at) - Date.parse(current.created_at)
      return Math.min(1, (secondsLeft.value * 1000) / whole)
    }),
    isUrgent: computed(() => secondsLeft.value !== null && secondsLeft.value <= URGENT_SECONDS),
    take,
    retry,
    release,
    keep,
    /** The wish has changed, and with it what stood in its way. */
    clear(): void {
      refusal.value = undefined
    },
  }
}
