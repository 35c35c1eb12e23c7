import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { h } from 'vue'
import { showPart } from '@/test/part'
import UiChoice from './UiChoice.vue'

enableAutoUnmount(afterEach)

const show = (props: Record<string, unknown> = {}) =>
  showPart(UiChoice, {
    props: {
      label: 'Level',
      options: [
        { value: 1, label: 'B1', count: 22 },
        { value: 2, label: 'B2', count: 0 },
        { value: 3, label: 'L1' },
      ],
      modelValue: 1,
      ...props,
    },
  })

describe('UiChoice', () => {
  it('is a group of radio buttons, which browsers drive by the arrow keys', () => {
    const choice = show()
    expect(choice.element.tagName).toBe('FIELDSET')
    expect(choice.find('legend').text()).toBe('Level')
    const radios = choice.findAll<HTMLInputElement>('input[type=radio]')
    expect(new Set(radios.map((radio) => radio.element.name)).size).toBe(1)
    expect(radios.map((radio) => radio.element.checked)).toEqual([true, false, false])
  })

  it('does not share its group with another choice', () => {
    const props = { label: 'Level', options: [{ value: 1, label: 'B1' }] }
    const both = showPart(() => [h(UiChoice, props), h(UiChoice, props)])
    const [one, other] = both.findAll('input').map((radio) => radio.attributes('name'))
    expect(one).not.toBe(other)
  })

  it('tells the value that was chosen, in its own type', async () => {
    const choice = show()
    await choice.findAll('input')[1]?.setValue()
    expect(choice.emitted('update:modelValue')).toEqual([[2]])
  })

  it('shows how many there are, a zero too', () => {
    expect(
      show()
        .findAll('label')
        .map((label) => label.text().replace(/\s+/g, ' ')),
    ).toEqual(['B1 22', 'B2 0', 'L1'])
  })

  it('shows its label where it is told to, and ties help and error', () => {
    expect(show().find('legend').classes()).toContain('sr-only')
    const choice = show({
      showLabel: true,
      hint: 'Near the lift.',
      error: 'Choose one.',
      name: 'x',
    })
    expect(choice.find('legend').classes()).not.toContain('sr-only')
    const ids = choice.attributes('aria-describedby')?.split(' ') ?? []
    expect(ids.map((id) => choice.find(`[id="${id}"]`).text())).toEqual([
      'Near the lift.',
      'Choose one.',
    ])
    expect(choice.find('input').attributes()).toMatchObject({ name: 'x', 'aria-invalid': 'true' })
  })
})
