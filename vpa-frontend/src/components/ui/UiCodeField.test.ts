import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { showPart } from '@/test/part'
import UiCodeField from './UiCodeField.vue'

enableAutoUnmount(afterEach)

const show = () => showPart(UiCodeField, { props: { label: 'Code' } })

describe('UiCodeField', () => {
  it('is one field that phones fill from the mail', () => {
    expect(show().find('input').attributes()).toMatchObject({
      inputmode: 'numeric',
      autocomplete: 'one-time-code',
    })
  })

  it('takes a pasted code as a whole, without what is around its digits', async () => {
    const field = show()
    await field.find('input').setValue(' 123-456 ')
    expect(field.emitted('update:modelValue')).toEqual([['123456']])
    expect(field.emitted('complete')).toEqual([['123456']])
    expect(field.find('input').element.value).toBe('123456')
  })

  it('is complete with the last digit, and once for each code', async () => {
    const field = show()
    await field.find('input').setValue('12345')
    expect(field.emitted('complete')).toBeUndefined()
    await field.setProps({ modelValue: '12345' })
    await field.find('input').setValue('123456')
    await field.setProps({ modelValue: '123456' })
    await field.find('input').setValue('1234567')
    expect(field.find('input').element.value).toBe('123456')
    expect(field.emitted('complete')).toEqual([['123456']])
  })

  it('shows where the next digit goes, and stays on the last one', async () => {
    const field = show()
    const next = () => field.findAll('i').findIndex((box) => box.attributes('data-next'))
    expect(field.findAll('i')).toHaveLength(6)
    expect(next()).toBe(0)
    await field.setProps({ modelValue: '123' })
    expect(next()).toBe(3)
    await field.setProps({ modelValue: '123456' })
    expect(next()).toBe(5)
  })

  it('keeps what was typed when it was wrong, and says so', async () => {
    const field = show()
    await field.setProps({ modelValue: '000000', error: 'This is not the code.' })
    const input = field.find('input')
    expect(input.element.value).toBe('000000')
    expect(input.attributes('aria-invalid')).toBe('true')
    expect(field.find(`[id="${input.attributes('aria-describedby')}"]`).text()).toBe(
      'This is not the code.',
    )
  })
})
