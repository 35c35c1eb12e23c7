import { useTranslation } from 'i18next-vue'
import { computed, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { Payment, PaymentCreate } from '@/api/payments'
import { sayError } from '@/composables/useToast'
import { isApiError } from '@/lib/errors'
import { usePaymentLookup, useUndecidedPayment } from '@/queries/payments'
import { useReservationMutations } from '@/queries/reservations'

/** Where a payment stands, as the screen tells it. */
export type PayState =
  | { name: 'idle' }
  | { name: 'sending' }
  /** The bank wants a code; the question may be put aside and taken up again. */
  | { name: 'challenge'; payment: Payment; isOpen: boolean; isSending: boolean; error?: string }
  /** The bank has not answered yet. */
  | { name: 'waiting'; paymentId: number }
  /** No money came, and this is why; another try is a new payment. */
  | { name: 'refused'; message: string }
  /** The answer was lost: another try asks what became of this one. */
  | { name: 'no-answer' }
  | { name: 'paid' }

interface Sent {
  reservationId: number
  body: PaymentCreate
  key: string
}

const TWIN_PAUSE_MS = 2_000

/**
 * Pays for a held bay.
 *
 * Each try has a key of its own, and a try whose answer was lost is sent again with its key, so that
 * nobody pays twice.
 */
export function usePayment({
  reservationId,
  isBlocked = false,
  onPaid,
  onHoldOver,
}: {
  reservationId: MaybeRefOrGetter<number | undefined>
  /** The hold is being changed or let go: there is nothing to pay for just now. */
  isBlocked?: MaybeRefOrGetter<boolean>
  onPaid: (reservationId: number) => void
  /** The hold to pay for is gone. */
  onHoldOver: () => void
}) {
  const { t } = useTranslation()
  const mutations = useReservationMutations()
  const { findUndecided, findLatest, look, refreshBookings } = usePaymentLookup()

  const state = shallowRef<PayState>({ name: 'idle' })
  let lost: Sent | undefined
  let answered: { code: string; key: string } | undefined
  /** Which try the state is about; what comes of one before it is no news any more. */
  let current = 0

  /** @throws ApiError where a field of the card was refused */
  async function pay(body: PaymentCreate): Promise<void> {
    const id = toValue(reservationId)
    if (id === undefined || isSending.value || toValue(isBlocked)) return
    const isSame = lost?.reservationId === id && JSON.stringify(lost.body) === JSON.stringify(body)
    await send(isSame && lost ? lost : { reservationId: id, body, key: crypto.randomUUID() })
  }

  async function send(sent: Sent): Promise<void> {
    current += 1
    const mine = current
    state.value = { name: 'sending' }
    lost = undefined
    try {
      const made = await mutations.pay.mutateAsync({ id: sent.reservationId, ...sent })
      if (mine === current) settle(made)
    } catch (error) {
      if (mine === current) await explain(error, sent)
    }
  }

  async function explain(error: unknown, sent: Sent): Promise<void> {
    if (!isApiError(error)) {
      state.value = { name: 'idle' }
      throw error
    }
    switch (error.slug) {
      case 'already-paid':
        finish(sent.reservationId)
        return
      case 'hold-expired':
      case 'illegal-transition':
        state.value = { name: 'idle' }
        onHoldOver()
        return
      case 'request-in-progress': {
        const mine = current
        await new Promise((resolve) => setTimeout(resolve, TWIN_PAUSE_MS))
        if (mine === current) await send(sent)
        return
      }
      case 'payment-in-progress':
        await takeUp(sent.reservationId)
        return
    }
    if (error.kind === 'network') {
      lost = sent
      state.value = { name: 'no-answer' }
    } else if (error.kind === 'fields') {
      state.value = { name: 'idle' }
      throw error
    } else {
      state.value = { name: 'refused', message: sayError(error) }
    }
  }

  /** Goes on with a payment that is under way, from another tab or before a reload. */
  async function takeUp(id: number): Promise<void> {
    const before = state.value
    const mine = current
    try {
      const found = await findUndecided(id)
      if (mine !== current) return
      if (found?.status === 'requires_action') ask(found, before.name === 'sending')
      else if (found) settle(found)
      else if (before.name === 'sending') {
        state.value = { name: 'refused', message: t('checkout:pay.decidedElsewhere') }
      }
    } catch (error) {
      if (before.name !== 'sending' || mine !== current) return
      state.value = { name: 'refused', message: sayError(error) }
    }
  }

  /** What became of a payment whose answer was lost, once its hold is over and no try can pay any more. */
  async function lookUp(): Promise<void> {
    const id = toValue(reservationId)
    if (id === undefined || state.value.name !== 'no-answer') return
    const mine = current
    // Without an answer to this either, it can be tried again.
    const page = await findLatest(id).catch(() => undefined)
    if (!page || mine !== current) return
    lost = undefined
    if (page.payment) settle(page.payment)
    else state.value = { name: 'idle' }
  }

  function ask(payment: Payment, isOpen = true, error?: string): void {
    state.value = { name: 'challenge', payment, isOpen, isSending: false, error }
  }

  function settle(payment: Payment): void {
    switch (payment.status) {
      case 'succeeded':
      case 'partially_refunded':
        finish(payment.reservation_id)
        break
      case 'requires_action':
        ask(payment)
        break
      case 'pending':
        state.value = { name: 'waiting', paymentId: payment.id }
        break
      case 'failed':
        state.value = { name: 'refused', message: payment.failure?.message ?? '' }
        break
      default:
        state.value = {
          name: 'refused',
          message:
            payment.review_reason === 'amount_mismatch'
              ? t('checkout:pay.mismatch')
              : t('checkout:pay.returned'),
        }
        onHoldOver()
    }
  }

  function finish(id: number): void {
    state.value = { name: 'paid' }
    onPaid(id)
  }

  /** Answers the bank's question. */
  async function confirm(code: string): Promise<void> {
    const asked = state.value
    if (asked.name !== 'challenge' || asked.isSending) return
    const { payment } = asked
    const mine = current
    if (answered?.code !== code) answered = { code, key: crypto.randomUUID() }
    state.value = { ...asked, isSending: true, error: undefined }
    try {
      const settled = await mutations.confirm.mutateAsync({ id: payment.id, ...answered })
      answered = undefined
      if (mine === current) settle(settled)
    } catch (error) {
      if (mine !== current) return
      if (isApiError(error, 'hold-expired')) {
        state.value = { name: 'idle' }
        onHoldOver()
      } else if (isApiError(error, 'illegal-transition')) {
        // Answered or given up elsewhere.
        const found = await look(payment.id).catch(() => undefined)
        if (mine !== current) return
        if (found) settle(found)
        else ask(payment, true, sayError(error))
      } else {
        ask(payment, true, sayError(error))
      }
    }
  }

  function setAsking(isOpen: boolean): void {
    const asked = state.value
    // A code that is being checked may pay: the question stays until that is known.
    if (asked.name !== 'challenge' || asked.isSending) return
    state.value = { ...asked, isOpen, error: undefined }
  }

  const waitingFor = computed(() =>
    state.value.name === 'waiting' ? state.value.paymentId : undefined,
  )
  const watched = useUndecidedPayment(waitingFor)
  watch(watched.data, (payment) => {
    if (!payment || payment.id !== waitingFor.value || payment.status === 'pending') return
    refreshBookings()
    settle(payment)
  })

  const isSending = computed(
    () =>
      state.value.name === 'sending' ||
      state.value.name === 'waiting' ||
      (state.value.name === 'challenge' && state.value.isSending),
  )

  return {
    state,
    /** A payment is being decided: nobody should take the bay away from it. */
    isUnderWay: computed(() => {
      const { name } = state.value
      if (state.value.name === 'challenge') return state.value.isOpen || state.value.isSending
      return name !== 'idle' && name !== 'refused'
    }),
    isSending,
    isBlocked: computed(() => toValue(isBlocked)),
    pay,
    confirm,
    setAsking,
    takeUp,
    lookUp,
    /** Another booking starts afresh. */
    reset(): void {
      current += 1
      state.value = { name: 'idle' }
      lost = undefined
    },
  }
}
