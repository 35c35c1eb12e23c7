import { enableAutoUnmount, type VueWrapper } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { showPart } from '@/test/part'
import UiSelect from './UiSelect.vue'
import UiTextArea from './UiTextArea.vue'
import UiTextField from './UiTextField.vue'

enableAutoUnmount(afterEach)

/** The words that a screen reader reads with the control. */
function described(field: VueWrapper, selector: string): string[] {
  const ids = field.find(selector).attributes('aria-describedby')?.split(' ') ?? []
  return ids.map((id) => field.find(`[id="${id}"]`).text())
}

const kinds = [
  { value: 'car', label: 'Car' },
  { value: 'van', label: 'Van' },
]

describe.each([
  ['UiTextField', UiTextField, 'input', {}],
  ['UiTextArea', UiTextArea, 'textarea', {}],
  ['UiSelect', UiSelect, 'select', { options: kinds }],
])('%s', (_name, component, control, more) => {
  it('ties its label, its help and its error to the control', async () => {
    const field = showPart(component, {
      props: { label: 'Plate', hint: 'As on the vehicle.', optional: true, ...more },
    } as never)
    expect(field.find('label').attributes('for')).toBe(field.find(control).attributes('id'))
    expect(field.find('label').text()).toBe('Plate (optional)')
    expect(described(field, control)).toEqual(['As on the vehicle.'])
    expect(field.find(control).attributes('aria-invalid')).toBeUndefined()
    await field.setProps({ error: 'Enter the plate.' })
    expect(described(field, control)).toEqual(['As on the vehicle.', 'Enter the plate.'])
    expect(field.find(control).attributes('aria-invalid')).toBe('true')
    await field.setProps({ hint: undefined, error: undefined })
    expect(field.find(control).attributes('aria-describedby')).toBeUndefined()
  })

  it('gives what else it is told to the control', () => {
    const field = showPart(component, {
      props: { label: 'Plate', ...more },
      attrs: { name: 'plate', autocomplete: 'off', disabled: true },
    } as never)
    expect(field.find(control).attributes()).toMatchObject({ name: 'plate', autocomplete: 'off' })
    expect(field.find(control).attributes('disabled')).toBeDefined()
  })
})

describe('UiTextField', () => {
  it('tells what is typed, as text also from a number field', async () => {
    const field = showPart(UiTextField, { props: { label: 'Seats', type: 'number' } })
    await field.find('input').setValue('007')
    expect(field.emitted('update:modelValue')).toEqual([['007']])
  })

  it('shows a password on demand, and says what the button does', async () => {
    const field = showPart(UiTextField, {
      props: { label: 'Password', type: 'password', modelValue: 'kerb' },
    })
    const eye = field.find('button')
    expect(field.find('input').attributes('type')).toBe('password')
    expect(eye.attributes()).toMatchObject({ type: 'button', 'aria-label': 'Show the password' })
    await eye.trigger('click')
    expect(field.find('input').attributes('type')).toBe('text')
    expect(eye.attributes('aria-label')).toBe('Hide the password')
    expect(field.find('input').element.value).toBe('kerb')
    await eye.trigger('click')
    expect(field.find('input').attributes('type')).toBe('password')
  })

  it('can hide its label from view, not from screen readers', () => {
    const field = showPart(UiTextField, { props: { label: 'Search', hideLabel: true } })
    expect(field.find('label').classes()).toContain('sr-only')
  })

  it('takes more help than a sentence, and ties it too', () => {
    const field = showPart(UiTextField, {
      props: { label: 'Password' },
      slots: { hint: '<ul><li>8 to 128 characters</li></ul>' },
    })
    expect(described(field, 'input')).toEqual(['8 to 128 characters'])
  })
})

describe('UiSelect', () => {
  it('tells the value of an option, not its text', async () => {
    const select = showPart(UiSelect, {
      props: {
        label: 'Level',
        options: [
          { value: 1, label: 'B1' },
          { value: 2, label: 'B2' },
        ],
        modelValue: 1,
      },
    })
    await select.findAll('option')[1]?.setValue()
    expect(select.emitted('update:modelValue')).toEqual([[2]])
  })

  it('asks to choose while nothing is chosen', () => {
    const select = showPart(UiSelect, {
      props: { label: 'Kind', options: kinds, placeholder: 'Choose one' },
    })
    const [first] = select.findAll('option')
    expect(first?.text()).toBe('Choose one')
    expect(first?.attributes('disabled')).toBeDefined()
  })
})

describe('UiTextArea', () => {
  it('tells what is typed', async () => {
    const area = showPart(UiTextArea, { props: { label: 'Remarks' } })
    await area.find('textarea').setValue('Two\nlines')
    expect(area.emitted('update:modelValue')).toEqual([['Two\nlines']])
    expect(area.find('textarea').attributes('rows')).toBe('3')
  })
})
