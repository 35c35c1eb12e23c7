import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, ref } from 'vue'
import { aPayment } from '@/test/bookings'
import { given, openPage, settled } from '@/test/page'
import { server, useServer } from '@/test/server'
import CheckoutPane from './CheckoutPane.vue'
import { usePayment } from './usePayment'

const toast = vi.hoisted(() => ({
  done: vi.fn(),
  failed: vi.fn(),
  unexpected: vi.fn(),
  dismiss: vi.fn(),
}))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)

let sent: Record<string, unknown>[]
let answers: (() => Response)[]
beforeEach(() => {
  sent = []
  answers = []
  toast.failed.mockReset()
  server.use(
    http.post('*/api/v1/reservations/7/payments', async ({ request }) => {
      sent.push((await request.json()) as Record<string, unknown>)
      return answers.shift()?.() ?? HttpResponse.json(aPayment(), { status: 201 })
    }),
  )
})

async function open(label: string | undefined = 'B08') {
  const bayLabel = ref<string | undefined>(label)
  const onPaid = vi.fn()
  const Host = defineComponent({
    setup() {
      const payment = usePayment({ reservationId: 7, onPaid, onHoldOver: vi.fn() })
      return () =>
        h(CheckoutPane, { payment, amount: '€4.00', bayLabel: bayLabel.value, formId: 'pay' })
    },
  })
  const { page } = await openPage(Host, '/')
  const input = (name: string) => page.find<HTMLInputElement>(`input[name=${name}]`)
  return {
    page,
    onPaid,
    bayLabel,
    input,
    /** Key by key, as the browser tells of it. */
    async type(name: string, text: string) {
      const field = input(name)
      for (const sign of text) {
        field.element.value += sign
        await field.trigger('input')
      }
    },
    async pay() {
      const before = sent.length
      await page.find('form').trigger('submit')
      await settled(() => sent.length > before && !page.find('form [aria-busy]').exists())
    },
    errors: () => page.findAll('.field .error').map((error) => error.text()),
  }
}

describe('the card form', () => {
  it('writes number and date as they stand on the card, and sends them', async () => {
    const { type, input, pay, onPaid, page } = await open()
    expect(page.text()).toContain('Pay €4.00 and reserve B08')
    await type('card_number', '4242424242424242')
    await type('expiry', '1230')
    await type('cvc', '12a3')
    expect(input('card_number').element.value).toBe('4242 4242 4242 4242')
    expect(input('expiry').element.value).toBe('12/30')
    expect(input('cvc').element.value).toBe('123')
    await pay()
    expect(sent).toEqual([
      { method: 'sandbox', card_number: '4242 4242 4242 4242', expiry: '12/30', cvc: '123' },
    ])
    expect(onPaid).toHaveBeenCalledWith(7)
  })

  it('lets browsers and phones help', async () => {
    const { input } = await open()
    expect(['card_number', 'expiry', 'cvc'].map((name) => input(name).attributes())).toMatchObject([
      { autocomplete: 'cc-number', inputmode: 'numeric' },
      { autocomplete: 'cc-exp', inputmode: 'numeric' },
      { autocomplete: 'cc-csc', inputmode: 'numeric' },
    ])
  })

  it('says what each field needs, and goes to the first', async () => {
    const { page, errors, input, type } = await open()
    await type('card_number', '4242424242424241')
    await page.find('form').trigger('submit')
    await settled(() => errors().length > 2)
    expect(errors()).toEqual([
      'Check the number: a digit seems wrong or missing.',
      'Enter month and year as on the card, such as 12/30.',
      'Enter the 3 or 4 digits of the security code.',
    ])
    await settled(() => document.activeElement === input('card_number').element)
    expect(document.activeElement).toBe(input('card_number').element)
    expect(sent).toEqual([])
  })

  it('knows an expired card', async () => {
    const { errors, type, input } = await open()
    await type('expiry', '0120')
    await input('expiry').trigger('blur')
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(['This card has expired. Use another one.'])
  })

  it('fills in a test card at a tap', async () => {
    const { page, input } = await open()
    await given(page.findAll('details button')[1]).trigger('click')
    expect(input('card_number').element.value).toBe('4000 0025 0000 3155')
  })

  it('keeps what was typed after a refusal, and moves to its reason', async () => {
    answers = [
      () =>
        HttpResponse.json(
          aPayment({
            status: 'failed',
            failure: { code: 'card_declined', message: 'The card was declined.' },
          }),
          { status: 201 },
        ),
    ]
    const { type, page, pay, input, onPaid } = await open()
    await type('card_number', '4000000000000002')
    await type('expiry', '1230')
    await type('cvc', '123')
    await pay()
    await settled(() => page.find('[role=alert]').exists())
    expect(page.find('[role=alert]').text()).toContain('The card was declined.')
    await nextTick()
    expect(document.activeElement?.contains(page.find('[role=alert]').element)).toBe(true)
    expect(input('card_number').element.value).toBe('4000 0000 0000 0002')
    expect(onPaid).not.toHaveBeenCalled()
  })

  it('keeps it too while there is no hold, and cannot be sent then', async () => {
    const { type, page, input, bayLabel } = await open()
    await type('card_number', '42424')
    bayLabel.value = undefined
    await nextTick()
    expect(page.find('button[type=submit]').exists()).toBe(false)
    bayLabel.value = 'B09'
    await nextTick()
    expect(input('card_number').element.value).toBe('4242 4')
    expect(page.find('button[type=submit]').text()).toBe('Pay €4.00 and reserve B09')
  })
})

it('asks for the code of the bank in a dialog', async () => {
  const waiting = aPayment({ status: 'requires_action' })
  answers = [() => HttpResponse.json(waiting, { status: 201 })]
  const codes: unknown[] = []
  server.use(
    http.post('*/api/v1/payments/21/confirm', async ({ request }) => {
      codes.push(await request.json())
      return HttpResponse.json(aPayment())
    }),
  )
  const { type, pay, onPaid } = await open()
  await type('card_number', '4000002500003155')
  await type('expiry', '1230')
  await type('cvc', '123')
  await pay()
  const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
  await settled(() => dialog() !== null)
  const form = given(dialog()?.querySelector('form'))
  form.requestSubmit()
  await settled(() => dialog()?.textContent?.includes('Enter all 6 digits') ?? false)
  expect(codes).toEqual([])
  const code = given(dialog()?.querySelector('input'))
  code.value = '123456'
  code.dispatchEvent(new Event('input', { bubbles: true }))
  await nextTick()
  form.requestSubmit()
  await settled(() => onPaid.mock.calls.length > 0)
  expect(codes).toEqual([{ code: '123456' }])
  await settled(() => dialog() === null)
  expect(dialog()).toBeNull()
})

it('says so where nothing can be paid by card', async () => {
  server.use(
    http.get('*/api/v1/installation', () =>
      HttpResponse.json({ payment_gateways: [], locale: 'en-IE', timezone: 'Europe/Berlin' }),
    ),
  )
  const { page } = await open()
  await settled(() => !page.find('form').exists())
  expect(page.text()).toContain('Card payments cannot be taken here')
})
