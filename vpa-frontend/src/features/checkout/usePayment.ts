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
  onPaid,
  onHoldOver,
}: {
  reservationId: MaybeRefOrGetter<number | undefined>
  onPaid: (reservationId: number) => void
  /** The hold to pay for is gone. */
  onHoldOver: () => void
}) {
  const { t } = useTranslation()
  const mutations = useReservationMutations()
  const { findUndecided, look, refreshBookings } = usePaymentLookup()

  const state = shallowRef<PayState>({ name: 'idle' })
  let lost: Sent | undefined
  let answered: { code: string; key: string } | undefined

  /** @throws ApiError where a field of the card was refused */
  async function pay(body: PaymentCreate): Promise<void> {
    const id = toValue(reservationId)
    if (id === undefined || isSending.value) return
    const isSame = lost?.reservationId === id && JSON.stringify(lost.body) === JSON.stringify(body)
    await send(isSame && lost ? lost : { reservationId: id, body, key: crypto.randomUUID() })
  }

  async function send(sent: Sent): Promise<void> {
    state.value = { name: 'sending' }
    lost = undefined
    try {
      settle(await mutations.pay.mutateAsync({ id: sent.reservationId, ...sent }))
    } catch (error) {
      await explain(error, sent)
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
      case 'request-in-progress':
        await new Promise((resolve) => setTimeout(resolve, TWIN_PAUSE_MS))
        await send(sent)
        return
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
    try {
      const found = await findUndecided(id)
      if (found?.status === 'requires_action') ask(found, before.name === 'sending')
      else if (found) settle(found)
      else if (before.name === 'sending') {
        state.value = { name: 'refused', message: t('checkout:pay.decidedElsewhere') }
      }
    } catch (error) {
      if (before.name !== 'sending') return
      state.value = { name: 'refused', message: sayError(error) }
    }
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
        state.value = { name: 'refused', message: t('checkout:pay.returned') }
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
    if (answered?.code !== code) answered = { code, key: crypto.randomUUID() }
    state.value = { ...asked, isSending: true, error: undefined }
    try {
      const settled = await mutations.confirm.mutateAsync({ id: payment.id, ...answered })
      answered = undefined
      settle(settled)
    } catch (error) {
      if (!isApiError(error)) throw error
      if (error.slug === 'hold-expired') {
        state.value = { name: 'idle' }
        onHoldOver()
      } else if (error.slug === 'illegal-transition') {
        // Answered or given up elsewhere.
        await look(payment.id).then(settle, () => ask(payment, true, sayError(error)))
      } else {
        ask(payment, true, sayError(error))
      }
    }
  }

  function setAsking(isOpen: boolean): void {
    const asked = state.value
    if (asked.name === 'challenge') state.value = { ...asked, isOpen, error: undefined }
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

  const isSending = computed(() => state.value.name === 'sending' || state.value.name === 'waiting')

  return {
    state,
    /** A payment is being decided: nobody should take the bay away from it. */
    isUnderWay: computed(() => {
      const { name } = state.value
      if (state.value.name === 'challenge') return state.value.isOpen
      return name !== 'idle' && name !== 'refused'
    }),
    isSending,
    pay,
    confirm,
    setAsking,
    takeUp,
    /** Another booking starts afresh. */
    reset(): void {
      state.value = { name: 'idle' }
      lost = undefined
    },
  }
}
