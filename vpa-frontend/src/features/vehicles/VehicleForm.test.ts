import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import type { Vehicle } from '@/api/vehicles'
import { openPage, settled } from '@/test/page'
import { aVehicle } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import VehicleForm from './VehicleForm.vue'

const toast = vi.hoisted(() => ({ failed: vi.fn(), unexpected: vi.fn(), dismiss: vi.fn() }))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)

/** What the API was asked, with the keys of the requests. */
let asked: { body: Record<string, unknown>; key: string | null; id?: string }[]
beforeEach(() => {
  asked = []
})

function answerBy(answer: (body: Record<string, unknown>) => Response) {
  server.use(
    http.post('*/api/v1/vehicles', async ({ request }) => {
      const body = (await request.json()) as Record<string, unknown>
      asked.push({ body, key: request.headers.get('idempotency-key') })
      return answer(body)
    }),
    http.patch('*/api/v1/vehicles/:id', async ({ request, params }) => {
      const body = (await request.json()) as Record<string, unknown>
      asked.push({ body, key: null, id: String(params['id']) })
      return answer(body)
    }),
  )
}
const done = (body: Record<string, unknown>) => HttpResponse.json(aVehicle({ id: 9, ...body }))

async function open(props: { vehicle?: Vehicle; compact?: boolean } = {}) {
  const saved = vi.fn()
  const cancelled = vi.fn()
  const Host = defineComponent({
    render: () => h(VehicleForm, { ...props, onSaved: saved, onCancel: cancelled }),
  })
  const { page } = await openPage(Host, '/vehicles')
  const input = (name: string) => page.find<HTMLInputElement>(`[name="${name}"]`)
  return {
    page,
    saved,
    cancelled,
    input,
    errors: () => page.findAll('.error').map((error) => error.text()),
    notice: () => page.find('[role=alert]'),
    hint: () =>
      page.find(`[id="${input('plate').attributes('aria-describedby')?.split(' ')[0]}"]`).text(),
    button: (name: string) => page.findAll('button').find((each) => each.text() === name),
    submit: () => page.find('form').trigger('submit'),
  }
}

describe('adding a vehicle', () => {
  it('sends the plate in its one spelling, and empty fields as nothing', async () => {
    answerBy(done)
    const { input, submit, saved, page } = await open()
    await input('plate').setValue('dd-ab 1234')
    expect(input('plate').element.value).toBe('DD-AB 1234')
    await page.find('input[value=van]').setValue()
    await input('electric').setValue(true)
    await submit()
    await settled(() => saved.mock.calls.length > 0)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.body).toEqual({
      plate: 'DDAB1234',
      kind: 'van',
      electric: true,
      height_cm: null,
      label: '',
      make: '',
      model: '',
      colour: '',
    })
    expect(saved).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ plate: 'DDAB1234' }))
  })

  it('sends the height as a number, and the wish to have it first', async () => {
    answerBy(done)
    const { input, submit, saved } = await open()
    await input('plate').setValue('DDAB1234')
    await input('height_cm').setValue(' 195 ')
    await input('is_default').setValue(true)
    await submit()
    await settled(() => saved.mock.calls.length > 0)
    expect(asked[0]?.body).toMatchObject({ height_cm: 195, is_default: true })
  })

  it.each([
    ['plate', '', 'Enter the number plate.'],
    ['plate', ' - ', 'Enter the number plate.'],
    ['plate', 'A', 'Use 2 to 12 letters and digits.'],
    ['plate', 'AB/12', 'Use 2 to 12 letters and digits.'],
    ['height_cm', '501', 'Enter whole centimetres from 1 to 500, or leave it empty.'],
    ['height_cm', '1.95', 'Enter whole centimetres from 1 to 500, or leave it empty.'],
    ['colour', 'x'.repeat(31), 'Use 30 characters at most.'],
  ])('does not send %s %j', async (name, value, said) => {
    answerBy(done)
    const { input, submit, errors } = await open()
    await input('plate').setValue('DDAB1234')
    await input(name).setValue(value)
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual([said])
    expect(document.activeElement).toBe(input(name).element)
    expect(asked).toEqual([])
  })

  it('asks for a second look at an unusual plate once it is left, and takes it', async () => {
    answerBy(done)
    const { input, submit, saved, hint } = await open()
    await input('plate').setValue('12345')
    expect(hint()).toMatch(/^As on the vehicle/)
    await input('plate').trigger('focusout')
    expect(hint()).toMatch(/looks unusual/)
    await submit()
    await settled(() => saved.mock.calls.length > 0)
    expect(saved).toHaveBeenCalledOnce()
  })

  it('leaves the caret where it was', async () => {
    const { input } = await open()
    const plate = input('plate').element
    plate.focus()
    plate.value = 'DxDAB1234'
    plate.setSelectionRange(2, 2)
    await input('plate').trigger('input')
    await nextTick()
    expect([plate.value, plate.selectionStart]).toEqual(['DXDAB1234', 2])
  })

  it('says at the plate that it is there already', async () => {
    answerBy(() =>
      refuse(409, 'plate-taken', 'You have a vehicle with the plate DDAB1234 already.'),
    )
    const { input, submit, errors } = await open()
    await input('plate').setValue('DDAB1234')
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(['You have a vehicle with the plate DDAB1234 already.'])
  })

  it('says in its place what belongs to no field', async () => {
    answerBy(() => refuse(409, 'too-many-vehicles', 'You may keep 50 vehicles at most.'))
    const { input, submit, notice } = await open()
    await input('plate').setValue('DDAB1234')
    await submit()
    await settled(() => notice().exists())
    expect(notice().text()).toBe('You may keep 50 vehicles at most.')
  })

  it('tries the same wish again by the same key, and another by another', async () => {
    const answers = [
      () => HttpResponse.error(),
      () => refuse(409, 'plate-taken', 'Taken.'),
      () => done({ plate: 'DDAB9999' }),
    ]
    answerBy(() => answers.shift()?.() ?? HttpResponse.error())
    const { input, submit, notice, errors, saved } = await open()
    await input('plate').setValue('DDAB1234')
    await submit()
    await settled(() => notice().exists())
    await submit()
    await settled(() => errors().length > 0)
    await input('plate').setValue('DDAB9999')
    await submit()
    await settled(() => saved.mock.calls.length > 0)
    const [first, second, third] = asked.map(({ key }) => key)
    expect(first).toMatch(/^[\da-f-]{36}$/)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
  })

  it('asks for no more than a booking needs when it is compact', async () => {
    const { page, button } = await open({ compact: true })
    const names = new Set(page.findAll('[name]').map((each) => each.attributes('name')))
    expect([...names]).toEqual(['plate', 'kind', 'electric'])
    // Where it stands, another button leads back.
    expect(button('Cancel')).toBeUndefined()
  })

  it('can be left', async () => {
    const { button, cancelled } = await open()
    await button('Cancel')?.trigger('click')
    expect(cancelled).toHaveBeenCalledOnce()
  })
})

describe('changing a vehicle', () => {
  const golf = aVehicle({ height_cm: 150, label: 'Family car' })

  it('starts with what is known, and sends it as it is now', async () => {
    answerBy(done)
    const { input, submit, saved, button } = await open({ vehicle: golf })
    expect(button('Save changes')).toBeDefined()
    expect(input('plate').element.value).toBe('DDAB1234')
    expect(input('height_cm').element.value).toBe('150')
    expect(input('label').element.value).toBe('Family car')
    // The default goes only by another one taken for it.
    expect(input('is_default').attributes('disabled')).toBeDefined()
    await input('colour').setValue('white')
    await submit()
    await settled(() => saved.mock.calls.length > 0)
    expect(asked[0]).toMatchObject({ id: '4', body: { colour: 'white', height_cm: 150 } })
  })

  it('explains what a booking keeps fixed, and can put just that back', async () => {
    answerBy((body) =>
      body['plate'] === 'DDXY1' ? refuse(409, 'vehicle-in-use', 'It has a booking.') : done(body),
    )
    const { input, submit, notice, button, saved } = await open({ vehicle: golf })
    await input('plate').setValue('DDXY1')
    await input('label').setValue('Old car')
    await submit()
    await settled(() => notice().exists())
    expect(notice().text()).toContain('This vehicle has a booking')
    await button('Undo these changes')?.trigger('click')
    expect(notice().exists()).toBe(false)
    expect(input('plate').element.value).toBe('DDAB1234')
    expect(input('label').element.value).toBe('Old car')
    await submit()
    await settled(() => saved.mock.calls.length > 0)
    expect(asked[1]?.body).toMatchObject({ plate: 'DDAB1234', label: 'Old car' })
  })
})
