import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { showPart } from '@/test/part'
import UiCheckbox from './UiCheckbox.vue'
import UiChip from './UiChip.vue'

enableAutoUnmount(afterEach)

describe('UiCheckbox', () => {
  it('is switched by its label, and tells so', async () => {
    const box = showPart(UiCheckbox, { props: { label: 'Electric' } })
    const input = box.find('input')
    expect(box.find('label').attributes('for')).toBe(input.attributes('id'))
    await input.setValue(true)
    expect(box.emitted('update:modelValue')).toEqual([[true]])
    expect((input.element as HTMLInputElement).checked).toBe(true)
  })

  it('ties its help and its error to the box', async () => {
    const box = showPart(UiCheckbox, {
      props: { label: 'Rules', hint: 'One page.', error: 'Confirm that you read them.' },
    })
    const input = box.find('input')
    const ids = input.attributes('aria-describedby')?.split(' ') ?? []
    expect(ids.map((id) => box.find(`[id="${id}"]`).text())).toEqual([
      'One page.',
      'Confirm that you read them.',
    ])
    expect(input.attributes('aria-invalid')).toBe('true')
    await box.setProps({ hint: undefined, error: undefined })
    expect(input.attributes()).not.toHaveProperty('aria-describedby')
    expect(input.attributes()).not.toHaveProperty('aria-invalid')
  })

  it('can be out of use', () => {
    const box = showPart(UiCheckbox, { props: { label: 'Default' }, attrs: { disabled: true } })
    expect(box.find('input').attributes('disabled')).toBeDefined()
  })
})

describe('UiChip', () => {
  it('is a button that is pressed or not', async () => {
    const chip = showPart(UiChip, { props: { modelValue: false }, slots: { default: 'Covered' } })
    expect(chip.attributes()).toMatchObject({ type: 'button', 'aria-pressed': 'false' })
    await chip.trigger('click')
    expect(chip.emitted('update:modelValue')).toEqual([[true]])
    await chip.setProps({ modelValue: true })
    expect(chip.attributes('aria-pressed')).toBe('true')
    await chip.trigger('click')
    expect(chip.emitted('update:modelValue')).toEqual([[true], [false]])
  })
})
