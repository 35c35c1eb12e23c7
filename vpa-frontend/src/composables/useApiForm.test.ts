import { enableAutoUnmount, flushPromises, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import * as z from 'zod/mini'
import UiButton from '@/components/ui/UiButton.vue'
import UiCheckbox from '@/components/ui/UiCheckbox.vue'
import UiSelect from '@/components/ui/UiSelect.vue'
import UiTextField from '@/components/ui/UiTextField.vue'
import { ApiError } from '@/lib/errors'
import { openPage, settled } from '@/test/page'
import { useApiForm } from './useApiForm'

const toast = vi.hoisted(() => ({ failed: vi.fn(), unexpected: vi.fn(), dismiss: vi.fn() }))
vi.mock('./useToast', () => ({ useToast: () => toast }))

enableAutoUnmount(afterEach)
beforeEach(() => {
  for (const said of Object.values(toast)) said.mockReset()
})

const schema = z.object({
  plate: z.string().check(z.trim(), z.minLength(1, 'Enter the plate.')),
  seats: z.string().check(z.regex(/^\d+$/, 'Enter a number.')),
  kind: z.enum(['car', 'van']),
  isElectric: z.boolean(),
})

async function show(submit: (values: z.output<typeof schema>) => Promise<void>) {
  let form!: ReturnType<typeof useApiForm<typeof schema>>
  const Form = defineComponent({
    setup() {
      form = useApiForm({
        schema,
        initial: { plate: '', seats: '4', kind: 'car', isElectric: false },
        fieldOf: { 'plate-taken': 'plate' },
        submit,
      })
      return () =>
        h('form', { ref: 'form', onSubmit: form.onSubmit }, [
          h(UiTextField, { ...form.field('plate'), label: 'Plate' }),
          h(UiTextField, { ...form.field('seats'), label: 'Seats', type: 'number' }),
          h(UiSelect, {
            ...form.field('kind'),
            label: 'Kind',
            options: [
              { value: 'car', label: 'Car' },
              { value: 'van', label: 'Van' },
            ],
          } as never),
          h(UiCheckbox, { ...form.field('isElectric'), label: 'Electric' }),
          h(UiButton, { type: 'submit' }, () => 'Save'),
        ])
    },
  })
  const { page } = await openPage(Form, '/')
  return { page, form, ...controls(page) }
}

function controls(page: VueWrapper) {
  const input = (name: string) => page.find(`[name="${name}"]`)
  return {
    input,
    errors: () => page.findAll('.error').map((error) => error.text()),
    focused: () => (document.activeElement as HTMLInputElement | null)?.name,
    async submit() {
      await page.find('form').trigger('submit')
      await settled(() => false || !page.vm.$el.querySelector('[aria-busy]'))
      await flushPromises()
    },
    async leave(name: string, to?: Element) {
      input(name).element.dispatchEvent(
        new FocusEvent('blur', { relatedTarget: to as EventTarget }),
      )
      await flushPromises()
      await settled(() => true)
      await new Promise((resolve) => setTimeout(resolve, 20))
    },
  }
}

const refusal = (status: number, name: string, more = {}) =>
  new ApiError(status, {
    type: `/problems/${name}`,
    title: name,
    detail: `${name} said so`,
    ...more,
  })

describe('what is typed', () => {
  it('is sent as the schema makes it, each kind of control with its own type', async () => {
    const sent = vi.fn().mockResolvedValue(undefined)
    const { page, input, submit } = await show(sent)
    await input('plate').setValue(' AB 12 ')
    await input('seats').setValue('7')
    await input('kind').setValue('van')
    await page.find('input[type=checkbox]').setValue(true)
    await submit()
    await settled(() => toast.dismiss.mock.calls.length > 0)
    expect(sent).toHaveBeenCalledExactlyOnceWith({
      plate: 'AB 12',
      seats: '7',
      kind: 'van',
      isElectric: true,
    })
    expect(toast.dismiss).toHaveBeenCalled()
  })

  it('is checked when the field is left, and then with each key', async () => {
    const { input, errors, leave } = await show(vi.fn())
    await input('seats').setValue('many')
    expect(errors()).toEqual([])
    await leave('seats')
    expect(errors()).toEqual(['Enter a number.'])
    expect(input('seats').attributes('aria-invalid')).toBe('true')
    await input('seats').setValue('5')
    await settled(() => errors().length === 0)
    expect(errors()).toEqual([])
    expect(input('seats').attributes('aria-invalid')).toBeUndefined()
  })

  it('is not checked when a button was pressed, which an error would move away', async () => {
    const { page, errors, leave } = await show(vi.fn())
    await leave('plate', page.find('button').element)
    expect(errors()).toEqual([])
  })
})

describe('a form that is not right', () => {
  it('is not sent, gets one toast, and the focus goes to the first bad field', async () => {
    const sent = vi.fn()
    const { input, submit, errors, focused } = await show(sent)
    await input('seats').setValue('many')
    await submit()
    await settled(() => errors().length === 2)
    expect(errors()).toEqual(['Enter the plate.', 'Enter a number.'])
    expect(focused()).toBe('plate')
    expect(sent).not.toHaveBeenCalled()
    expect(toast.failed).toHaveBeenCalledExactlyOnceWith(
      'Please mend the marked fields.',
      'refused-form',
    )
  })
})

describe('what the API refuses', () => {
  it('stands at its field, keeps what was typed, and stays until the value is another one', async () => {
    const { input, submit, errors, focused, leave } = await show(
      vi
        .fn()
        .mockRejectedValue(
          refusal(422, 'invalid-input', { errors: { seats: ['Seven at most.'], other: ['No.'] } }),
        ),
    )
    await input('plate').setValue('AB12')
    await input('seats').setValue('9')
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(['Seven at most.'])
    expect(focused()).toBe('seats')
    expect((input('plate').element as HTMLInputElement).value).toBe('AB12')
    expect(toast.failed).toHaveBeenCalledOnce()
    await leave('seats')
    expect(errors()).toEqual(['Seven at most.'])
    await input('seats').setValue('7')
    await settled(() => errors().length === 0)
    expect(errors()).toEqual([])
  })

  it('does not keep the same values from being sent again', async () => {
    const send = vi
      .fn()
      .mockRejectedValueOnce(refusal(422, 'invalid-input', { errors: { seats: ['No.'] } }))
      .mockResolvedValueOnce(undefined)
    const { input, submit, errors } = await show(send)
    await input('plate').setValue('AB12')
    await submit()
    await settled(() => errors().length > 0)
    await submit()
    await settled(() => send.mock.calls.length === 2)
    expect(send).toHaveBeenCalledTimes(2)
    expect(errors()).toEqual([])
  })

  it('goes to the field that it is about, where its slug tells', async () => {
    const { input, submit, errors, form } = await show(
      vi.fn().mockRejectedValue(refusal(409, 'plate-taken')),
    )
    await input('plate').setValue('AB12')
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(['plate-taken said so'])
    expect(form.refusal.value).toBeUndefined()
  })

  it.each([
    [409, 'too-many-vehicles'],
    [401, 'invalid-credentials'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [429, 'too-many-requests'],
    [503, 'service-unavailable'],
    [0, ''],
  ])('is left to the form when it belongs to no field: %i %s', async (status, name) => {
    const error = refusal(status, name)
    const { input, submit, form } = await show(vi.fn().mockRejectedValue(error))
    await input('plate').setValue('AB12')
    await submit()
    await settled(() => Boolean(form.refusal.value))
    expect(form.refusal.value).toBe(error)
    expect(toast.unexpected).not.toHaveBeenCalled()
    expect(form.isBusy.value).toBe(false)
  })

  it.each([refusal(500, 'internal-error'), new TypeError('x is undefined')])(
    'goes to the one sink when nobody expected it: %s',
    async (error) => {
      const { input, submit, form } = await show(vi.fn().mockRejectedValue(error))
      await input('plate').setValue('AB12')
      await submit()
      await settled(() => toast.unexpected.mock.calls.length > 0)
      expect(toast.unexpected).toHaveBeenCalledExactlyOnceWith(error)
      expect(form.refusal.value).toBeUndefined()
    },
  )

  it('is forgotten with the next try', async () => {
    const send = vi
      .fn()
      .mockRejectedValueOnce(refusal(409, 'too-many-vehicles'))
      .mockResolvedValueOnce(undefined)
    const { input, submit, form } = await show(send)
    await input('plate').setValue('AB12')
    await submit()
    await settled(() => Boolean(form.refusal.value))
    await submit()
    await settled(() => send.mock.calls.length === 2)
    expect(form.refusal.value).toBeUndefined()
  })
})

it('is busy until the answer is there, and sends nothing a second time meanwhile', async () => {
  let answer!: () => void
  const send = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)))
  const { page, input, form } = await show(send)
  await input('plate').setValue('AB12')
  await page.find('form').trigger('submit')
  await settled(() => form.isBusy.value)
  await page.find('form').trigger('submit')
  await flushPromises()
  expect(send).toHaveBeenCalledOnce()
  answer()
  await settled(() => !form.isBusy.value)
  expect(form.isBusy.value).toBe(false)
  expect(send).toHaveBeenCalledOnce()
})

it('lets a form say something at a field itself, and take it back', async () => {
  const { form, errors, leave } = await show(vi.fn())
  form.setFieldValue('plate', 'AB12')
  form.say('plate', 'Not this one.')
  await settled(() => errors().length > 0)
  expect(errors()).toEqual(['Not this one.'])
  form.say('plate', undefined)
  await leave('plate')
  expect(errors()).toEqual([])
})

it('takes its toast along when it goes', async () => {
  const { page } = await show(vi.fn())
  page.unmount()
  expect(toast.dismiss).toHaveBeenCalledWith('refused-form')
})
