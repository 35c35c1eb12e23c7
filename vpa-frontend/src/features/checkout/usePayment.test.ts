import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import type { Payment, PaymentCreate } from '@/api/payments'
import { aPayment } from '@/test/bookings'
import { inSetup } from '@/test/in-setup'
import { settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import { usePayment } from './usePayment'

useServer()
enableAutoUnmount(afterEach)

const card: PaymentCreate = {
  method: 'sandbox',
  card_number: '4242424242424242',
  expiry: '12/30',
  cvc: '123',
}
const other = { ...card, card_number: '4000000000000002' }

let keys: (string | null)[]
let answers: (() => Response)[]
let confirms: (() => Response)[]
let codes: unknown[]
let kept: Payment[]

const become = (status: Payment['status'], change: Partial<Payment> = {}) => {
  const made = aPayment({ status, ...change })
  return () => HttpResponse.json(made, { status: 201 })
}
const failed = (code: 'card_declined' | 'no_answer', message: string) =>
  become('failed', { failure: { code, message } })

beforeEach(() => {
  keys = []
  answers = []
  confirms = []
  codes = []
  kept = []
  server.use(
    http.post('*/api/v1/reservations/7/payments', ({ request }) => {
      keys.push(request.headers.get('idempotency-key'))
      return answers.shift()?.() ?? HttpResponse.error()
    }),
    http.post('*/api/v1/payments/21/confirm', async ({ request }) => {
      codes.push(await request.json())
      return confirms.shift()?.() ?? HttpResponse.error()
    }),
    http.get('*/api/v1/payments', () =>
      HttpResponse.json({ items: kept, next_cursor: null, total: kept.length }),
    ),
    http.get('*/api/v1/payments/21', () => HttpResponse.json(kept[0] ?? aPayment())),
  )
})

async function start() {
  const onPaid = vi.fn()
  const onHoldOver = vi.fn()
  const isBlocked = ref(false)
  const { result } = await inSetup(() =>
    usePayment({ reservationId: ref(7), isBlocked, onPaid, onHoldOver }),
  )
  return { payment: result, isBlocked, onPaid, onHoldOver }
}

describe('paying', () => {
  it('is over when the card is good', async () => {
    answers = [become('succeeded')]
    const { payment, onPaid } = await start()
    const paid = payment.pay(card)
    expect([payment.isSending.value, payment.isUnderWay.value]).toEqual([true, true])
    await paid
    expect(onPaid).toHaveBeenCalledWith(7)
    // Until the ticket is there, nobody may let the bay go.
    expect(payment.isUnderWay.value).toBe(true)
  })

  it('waits while the bay is being changed', async () => {
    const { payment, isBlocked } = await start()
    isBlocked.value = true
    await payment.pay(card)
    expect(keys).toEqual([])
    expect(payment.state.value).toEqual({ name: 'idle' })
  })

  it('of the booking before is no news to the next one', async () => {
    answers = [failed('card_declined', 'The card was declined.')]
    const { payment } = await start()
    const before = payment.pay(card)
    payment.reset()
    await before
    expect(payment.state.value).toEqual({ name: 'idle' })
  })

  it('tells why a card was refused, and makes the next try another payment', async () => {
    answers = [failed('card_declined', 'The card was declined.'), become('succeeded')]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    expect(payment.state.value).toEqual({ name: 'refused', message: 'The card was declined.' })
    expect(payment.isUnderWay.value).toBe(false)
    await payment.pay(card)
    expect(keys[0]).not.toBe(keys[1])
    expect(onPaid).toHaveBeenCalledOnce()
  })

  it('sends the same payment again after an answer was lost', async () => {
    answers = [() => HttpResponse.error(), become('succeeded')]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    expect(payment.state.value).toEqual({ name: 'no-answer' })
    await payment.pay(card)
    expect(keys[0]).toBe(keys[1])
    expect(onPaid).toHaveBeenCalledOnce()
  })

  it('is another payment with another card', async () => {
    answers = [() => HttpResponse.error(), become('succeeded')]
    const { payment } = await start()
    await payment.pay(card)
    await payment.pay(other)
    expect(keys[0]).not.toBe(keys[1])
  })

  it('hands what is wrong with a field to the form', async () => {
    answers = [
      () =>
        HttpResponse.json(
          { type: '/problems/invalid-input', status: 422, errors: { cvc: ['Wrong.'] } },
          { status: 422 },
        ),
    ]
    const { payment } = await start()
    await expect(payment.pay(card)).rejects.toMatchObject({ fields: { cvc: ['Wrong.'] } })
    expect(payment.state.value).toEqual({ name: 'idle' })
  })

  it.each([
    ['hold-expired', 409],
    ['illegal-transition', 409],
  ])('tells when there is nothing left to pay for: %s', async (slug, status) => {
    answers = [() => refuse(status, slug)]
    const { payment, onHoldOver, onPaid } = await start()
    await payment.pay(card)
    expect(onHoldOver).toHaveBeenCalledOnce()
    expect(onPaid).not.toHaveBeenCalled()
    expect(payment.isUnderWay.value).toBe(false)
  })

  it('is done when it was paid elsewhere', async () => {
    answers = [() => refuse(409, 'already-paid')]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    expect(onPaid).toHaveBeenCalledWith(7)
  })

  it('says that money which came too late goes back', async () => {
    answers = [become('refunded')]
    const { payment, onHoldOver } = await start()
    await payment.pay(card)
    expect(payment.state.value).toMatchObject({ name: 'refused' })
    expect(onHoldOver).toHaveBeenCalledOnce()
  })

  it('says how long to wait when there were too many tries', async () => {
    answers = [
      () =>
        HttpResponse.json(
          { type: '/problems/too-many-requests', status: 429, retry_after: 20 },
          { status: 429 },
        ),
    ]
    const { payment } = await start()
    await payment.pay(card)
    expect(payment.state.value).toEqual({
      name: 'refused',
      message: 'Too many tries. Wait 20 seconds and try again.',
    })
  })
})

describe('the bank’s question', () => {
  it('is answered with a code', async () => {
    answers = [become('requires_action')]
    confirms = [become('succeeded')]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    expect(payment.state.value).toMatchObject({ name: 'challenge', isOpen: true })
    await payment.confirm('123456')
    expect(codes).toEqual([{ code: '123456' }])
    expect(onPaid).toHaveBeenCalledWith(7)
  })

  it('can be put aside and taken up again', async () => {
    answers = [become('requires_action')]
    const { payment } = await start()
    await payment.pay(card)
    payment.setAsking(false)
    expect(payment.isUnderWay.value).toBe(false)
    payment.setAsking(true)
    expect(payment.state.value).toMatchObject({ name: 'challenge', isOpen: true })
  })

  it('stays open while its code is being checked', async () => {
    answers = [become('requires_action')]
    confirms = [become('succeeded')]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    const checked = payment.confirm('123456')
    payment.setAsking(false)
    expect(payment.state.value).toMatchObject({ name: 'challenge', isOpen: true, isSending: true })
    expect([payment.isSending.value, payment.isUnderWay.value]).toEqual([true, true])
    await payment.pay(card)
    expect(keys).toHaveLength(1)
    await checked
    expect(onPaid).toHaveBeenCalledWith(7)
  })

  it('is over with a wrong code', async () => {
    answers = [become('requires_action')]
    confirms = [
      become('failed', { failure: { code: 'challenge_failed', message: 'The code was wrong.' } }),
    ]
    const { payment } = await start()
    await payment.pay(card)
    await payment.confirm('111111')
    expect(payment.state.value).toEqual({ name: 'refused', message: 'The code was wrong.' })
  })

  it('stays when the answer to it was lost', async () => {
    answers = [become('requires_action')]
    confirms = [() => HttpResponse.error(), become('succeeded')]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    await payment.confirm('123456')
    expect(payment.state.value).toMatchObject({ name: 'challenge', isOpen: true, isSending: false })
    expect(payment.state.value).toHaveProperty('error')
    await payment.confirm('123456')
    expect(onPaid).toHaveBeenCalledOnce()
  })

  it('shows what became of it when it was answered elsewhere', async () => {
    answers = [become('requires_action')]
    confirms = [() => refuse(409, 'illegal-transition')]
    kept = [aPayment({ status: 'succeeded' })]
    const { payment, onPaid } = await start()
    await payment.pay(card)
    await payment.confirm('123456')
    expect(onPaid).toHaveBeenCalledWith(7)
  })

  it('is pointless once the hold is over', async () => {
    answers = [become('requires_action')]
    confirms = [() => refuse(409, 'hold-expired')]
    const { payment, onHoldOver } = await start()
    await payment.pay(card)
    await payment.confirm('123456')
    expect(onHoldOver).toHaveBeenCalledOnce()
    expect(payment.state.value).toEqual({ name: 'idle' })
  })
})

describe('a bank that does not answer', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const soon = async (until: () => boolean) => {
    for (let tries = 0; tries < 50 && !until(); tries += 1) await vi.advanceTimersByTimeAsync(20)
  }

  it('is asked until it has, and nobody pays meanwhile', async () => {
    let looks = 0
    server.use(
      http.get('*/api/v1/payments/21', () => {
        looks += 1
        return HttpResponse.json(
          looks < 3
            ? aPayment({ status: 'pending' })
            : aPayment({
                status: 'failed',
                failure: { code: 'no_answer', message: 'Nothing was charged.' },
              }),
        )
      }),
    )
    answers = [become('pending')]
    const { payment } = await start()
    await payment.pay(card)
    expect(payment.state.value).toEqual({ name: 'waiting', paymentId: 21 })
    await payment.pay(card)
    expect(keys).toHaveLength(1)
    await soon(() => looks === 1)
    await vi.advanceTimersByTimeAsync(3_100)
    await soon(() => looks === 2)
    expect(payment.isUnderWay.value).toBe(true)
    await vi.advanceTimersByTimeAsync(3_100)
    await soon(() => payment.state.value.name === 'refused')
    expect(payment.state.value).toEqual({ name: 'refused', message: 'Nothing was charged.' })
    // Then it is left in peace.
    await vi.advanceTimersByTimeAsync(60_000)
    expect(looks).toBe(3)
  })
})

describe('a payment under way', () => {
  it('of another tab is waited for', async () => {
    answers = [() => refuse(409, 'payment-in-progress')]
    kept = [aPayment({ status: 'pending' })]
    const { payment } = await start()
    await payment.pay(card)
    expect(payment.state.value).toEqual({ name: 'waiting', paymentId: 21 })
  })

  it('that was decided at that moment asks for another try', async () => {
    answers = [() => refuse(409, 'payment-in-progress')]
    kept = [aPayment({ status: 'failed' })]
    const { payment } = await start()
    await payment.pay(card)
    expect(payment.state.value).toMatchObject({ name: 'refused' })
  })

  it('is taken up after a reload, without asking at once', async () => {
    kept = [aPayment({ status: 'requires_action' })]
    const { payment } = await start()
    await payment.takeUp(7)
    expect(payment.state.value).toMatchObject({ name: 'challenge', isOpen: false })
  })

  it('is none after a reload, when all was decided', async () => {
    kept = [aPayment({ status: 'failed' })]
    const { payment } = await start()
    await payment.takeUp(7)
    await settled(() => true)
    expect(payment.state.value).toEqual({ name: 'idle' })
  })
})

describe('a lost answer, once the hold is over', () => {
  it.each([
    ['was paid', aPayment({ status: 'succeeded' }), { name: 'paid' }],
    [
      'was refused',
      aPayment({ status: 'failed', failure: { code: 'card_declined', message: 'Declined.' } }),
      { name: 'refused', message: 'Declined.' },
    ],
    ['never came', undefined, { name: 'idle' }],
  ])('tells that it %s', async (_, payment, state) => {
    const { payment: use } = await start()
    await use.pay(card)
    kept = payment ? [aPayment({ id: 20, status: 'failed' }), payment] : []
    await use.lookUp()
    expect(use.state.value).toEqual(state)
  })

  it('can be tried again while nobody knows', async () => {
    server.use(http.get('*/api/v1/payments', () => HttpResponse.error()))
    const { payment } = await start()
    await payment.pay(card)
    await payment.lookUp()
    expect(payment.state.value).toEqual({ name: 'no-answer' })
    expect(payment.isUnderWay.value).toBe(true)
  })
})
