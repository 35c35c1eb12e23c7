import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { showPart } from '@/test/part'
import UiDateTimeField from './UiDateTimeField.vue'

enableAutoUnmount(afterEach)

function show(props: Record<string, unknown> = {}) {
  const field = showPart(UiDateTimeField, {
    props: {
      label: 'Arrive',
      dayLabel: 'day',
      timeLabel: 'time',
      zone: 'Europe/Berlin',
      modelValue: new Date('2026-11-26T17:30:00Z'),
      ...props,
    } as never,
  })
  const input = (type: string) => field.find<HTMLInputElement>(`input[type=${type}]`)
  return {
    field,
    day: input('date'),
    time: input('time'),
    told: () =>
      (field.emitted('update:modelValue') ?? []).map(([moment]) => (moment as Date).toISOString()),
  }
}

describe('UiDateTimeField', () => {
  it('shows the day and the time of the zone, and names both', () => {
    const { field, day, time } = show()
    expect([day.element.value, time.element.value]).toEqual(['2026-11-26', '18:30'])
    expect(field.find('legend').text()).toBe('Arrive')
    expect(day.attributes('aria-label')).toBe('Arrive: day')
    expect(time.attributes('aria-label')).toBe('Arrive: time')
  })

  it('tells the instant of what is chosen there', async () => {
    const { day, time, told } = show()
    day.element.value = '2026-07-01'
    await day.trigger('change')
    time.element.value = '06:15'
    await time.trigger('change')
    expect(told()).toEqual(['2026-07-01T16:30:00.000Z', '2026-07-01T04:15:00.000Z'])
  })

  it('keeps what was set while one of them is empty', async () => {
    const { day, told } = show()
    day.element.value = ''
    await day.trigger('change')
    expect(told()).toEqual([])
  })

  it('follows another zone', async () => {
    const { field, day, time } = show()
    await field.setProps({ zone: 'Asia/Kolkata' })
    expect([day.element.value, time.element.value]).toEqual(['2026-11-26', '23:00'])
  })

  it('bounds the days, and ties its error to both inputs', () => {
    const { field, day, time } = show({
      min: new Date('2026-11-25T23:30:00Z'),
      max: new Date('2026-12-31T12:00:00Z'),
      error: 'Choose a time that is still to come.',
    })
    expect(day.attributes()).toMatchObject({ min: '2026-11-26', max: '2026-12-31' })
    for (const input of [day, time]) {
      expect(input.attributes('aria-invalid')).toBe('true')
      const error = field.find(`[id="${input.attributes('aria-describedby')}"]`)
      expect(error.text()).toBe('Choose a time that is still to come.')
    }
  })
})
