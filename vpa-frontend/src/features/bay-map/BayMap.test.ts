import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive } from 'vue'
import type { SpotKind, SpotState } from '@/api/lots'
import { aBay } from '@/test/bays'
import { given, openPage, settled } from '@/test/page'
import { useServer } from '@/test/server'
import BayMap from './BayMap.vue'

useServer()
enableAutoUnmount(afterEach)

/** A row of bays from the entrance on; the sixth level over it has one more. */
function someBays(): SpotState[] {
  const row = (change: Partial<SpotState>[]) =>
    change.map((each, index) =>
      aBay({ id: index + 1, label: `A0${index + 1}`, x: index * 2.5 + 1.25, ...each }),
    )
  return [
    ...row([
      { kind: 'accessible' },
      {},
      { state: 'taken' },
      { kind: 'electric' },
      {},
      { state: 'blocked' },
      { state: 'mine' },
    ]),
    aBay({ id: 11, label: 'B01', y: 13.5, rotation: 180 }),
    aBay({ id: 12, label: 'B02', y: 13.5, x: 3.75, rotation: 180 }),
    aBay({ id: 21, label: 'C01', level: '6' }),
  ]
}

interface Props {
  bays: SpotState[]
  kinds: SpotKind[]
  heldId?: number
  chosenId?: number
  holdMinutes: number
}

async function show(change: Partial<Props> = {}) {
  const props = reactive<Props>({
    bays: someBays(),
    kinds: ['standard'],
    holdMinutes: 10,
    ...change,
  })
  const picked = vi.fn((bay: SpotState) => bay.label)
  const Host = defineComponent({ render: () => h(BayMap, { ...props, onPick: picked }) })
  const { page } = await openPage(Host, '/')
  const radios = () => page.findAll('[role=radio]')
  const radio = (label: string) =>
    given(radios().find((each) => each.attributes('aria-label')?.startsWith(`Bay ${label},`)))
  return {
    page,
    props,
    picked: () => picked.mock.results.map((result) => result.value as string),
    radios,
    radio,
    label: (bay: { attributes: (name: string) => string | undefined }) =>
      bay.attributes('aria-label'),
    focused: () => document.activeElement?.getAttribute('aria-label')?.slice(4, 7),
    async press(key: string) {
      const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
      document.activeElement?.dispatchEvent(event)
      await nextTick()
      await nextTick()
      return event.defaultPrevented
    },
    note: () => page.find('.note').text(),
  }
}

describe('the plan as radio buttons', () => {
  it('has one for each bay that is free or the driver’s, in words', async () => {
    const { radios, label } = await show()
    expect(radios().map(label)).toEqual([
      'Bay A01, Accessible, Free. A01 is for drivers with a confirmed disabled permit.',
      'Bay A02, Standard, Free',
      'Bay A04, Charging, Free. A04 is a bay of the kind Charging, which is not for your vehicle.',
      'Bay A05, Standard, Free',
      'Bay A07, Standard, Yours',
      'Bay B01, Standard, Free',
      'Bay B02, Standard, Free',
    ])
  })

  it('is one stop of the Tab key: the first that can be picked, or the one that was', async () => {
    const { radios, radio, props } = await show()
    const stops = () => radios().filter((each) => each.attributes('tabindex') === '0')
    expect(stops()).toHaveLength(1)
    expect(radio('A02').attributes('tabindex')).toBe('0')
    props.chosenId = 12
    await nextTick()
    expect(stops()).toHaveLength(1)
    expect(radio('B02').attributes()).toMatchObject({ tabindex: '0', 'aria-checked': 'true' })
  })

  it('moves by arrow keys, Home and End, and picks by Enter and Space alone', async () => {
    const { radio, press, focused, picked } = await show()
    radio('A02').element.dispatchEvent(new FocusEvent('focus'))
    ;(radio('A02').element as SVGElement).focus()
    expect(await press('ArrowRight')).toBe(true)
    expect(focused()).toBe('A04')
    await press('ArrowRight')
    expect(focused()).toBe('A05')
    await press('ArrowDown')
    expect(focused()).toBe('B02')
    await press('Home')
    expect(focused()).toBe('B01')
    await press('ArrowUp')
    expect(focused()).toBe('A01')
    await press('End')
    expect(focused()).toBe('A07')
    expect(picked()).toEqual([])
    await press('Home')
    await press('ArrowRight')
    await press('Enter')
    await press(' ')
    expect(picked()).toEqual(['A02', 'A02'])
    expect(await press('Tab')).toBe(false)
  })

  it('says why a bay cannot be picked', async () => {
    const { radio, note, picked } = await show()
    await radio('A01').trigger('click')
    expect(note()).toBe('A01 is for drivers with a confirmed disabled permit.')
    await radio('A04').trigger('click')
    expect(note()).toContain('Charging')
    await radio('A07').trigger('click')
    expect(note()).toBe('A07 is yours already, by another booking.')
    expect(radio('A01').attributes('aria-disabled')).toBe('true')
    expect(picked()).toEqual([])
    await radio('A05').trigger('click')
    expect(note()).toBe('')
    expect(picked()).toEqual(['A05'])
  })

  it('does not ask for the bay that is held already', async () => {
    const { radio, picked } = await show({ heldId: 5 })
    await radio('A05').trigger('click')
    expect(picked()).toEqual([])
    expect(radio('A05').attributes('aria-disabled')).toBeUndefined()
  })

  it('gives every bay that fits an electric car to it', async () => {
    const { radio, picked } = await show({ kinds: ['standard', 'electric'] })
    await radio('A04').trigger('click')
    expect(picked()).toEqual(['A04'])
  })

  it('goes on where the bay in focus was taken meanwhile', async () => {
    const { radio, radios, props } = await show()
    ;(radio('A05').element as SVGElement).focus()
    await nextTick()
    props.bays = props.bays.map((bay) => (bay.id === 5 ? { ...bay, state: 'taken' } : bay))
    await nextTick()
    expect(radios().filter((each) => each.attributes('tabindex') === '0')).toHaveLength(1)
  })

  it('can be reached where no bay is free', async () => {
    const { page, radios } = await show({ bays: [aBay({ state: 'taken' })] })
    expect(radios()).toEqual([])
    expect(page.find('[role=radiogroup]').exists()).toBe(false)
    expect(page.find('.scroller').attributes()).toMatchObject({ tabindex: '0', role: 'region' })
  })
})

describe('levels', () => {
  it('count what can be picked, and open at the first that has any', async () => {
    const { page, radio } = await show()
    expect(page.findAll('.levels label').map((each) => each.text().replace(/\s+/g, ' '))).toEqual([
      '0 4',
      '6 1',
    ])
    expect(radio('A02').exists()).toBe(true)
  })

  it('open at the bay that is held', async () => {
    const { radios } = await show({ heldId: 21 })
    expect(radios()).toHaveLength(1)
  })

  it('change, and follow a bay that is taken on another one', async () => {
    const { page, radios, props } = await show()
    await given(page.findAll<HTMLInputElement>('.levels input')[1]).setValue()
    expect(radios()).toHaveLength(1)
    props.heldId = 2
    await nextTick()
    await nextTick()
    expect(radios()).toHaveLength(7)
  })
})

describe('the list', () => {
  const rows = (page: Awaited<ReturnType<typeof show>>['page']) =>
    page
      .findAll('.list li')
      .map((row) => [...row.element.children].map((part) => part.textContent?.trim()).join(' '))

  it('comes by the key L, and goes by it', async () => {
    const { page, radio, press, focused } = await show()
    ;(radio('A02').element as SVGElement).focus()
    await press('l')
    await settled(() => page.find('.list').exists())
    expect(rows(page)).toEqual([
      'A02 Level 0 · Standard Pick',
      'A05 Level 0 · Standard Pick',
      'B01 Level 0 · Standard Pick',
      'B02 Level 0 · Standard Pick',
      'C01 Level 6 · Standard Pick',
    ])
    // In a select the letter finds a choice.
    await page.find('.list select').trigger('keydown', { key: 'l' })
    expect(page.find('.list').exists()).toBe(true)
    await page.find('.list li button').trigger('keydown', { key: 'l' })
    await settled(() => page.find('.list').exists() === false)
    expect(page.find('[role=radiogroup]').exists()).toBe(true)
    expect(focused()).toBe('A02')
  })

  it('picks, filters, and tells of all bays when asked', async () => {
    const { page, picked } = await show()
    await page.find('[aria-label="Show as list"]').trigger('click')
    await settled(() => page.find('.list').exists())
    await page.find('[aria-label="Pick bay B02"]').trigger('click')
    expect(picked()).toEqual(['B02'])
    const [level, kind] = page.findAll('.list select')
    await given(level).setValue('6')
    expect(rows(page)).toEqual(['C01 Level 6 · Standard Pick'])
    await given(kind).setValue('electric')
    expect(page.find('.list').text()).toContain('No bay matches')
    await given(level).setValue('')
    await page.find('.list input[type=checkbox]').setValue(false)
    expect(rows(page)).toEqual([
      'A04 Level 0 · Charging A04 is a bay of the kind Charging, which is not for your vehicle.',
    ])
    await given(kind).setValue('')
    expect(rows(page)).toHaveLength(10)
    expect(rows(page)[2]).toBe('A03 Level 0 · Standard Taken')
  })

  it('shows many bays page by page', async () => {
    const bays = Array.from({ length: 250 }, (_, index) =>
      aBay({ id: index + 1, label: `A${index + 1}`, x: index * 2.5 }),
    )
    const { page } = await show({ bays })
    await page.find('[aria-label="Show as list"]').trigger('click')
    await settled(() => page.find('.list').exists())
    expect(rows(page)).toHaveLength(100)
    await page.find('.list .more').trigger('click')
    expect(rows(page)).toHaveLength(200)
    await page.find('.list .more').trigger('click')
    expect(rows(page)).toHaveLength(250)
    expect(page.find('.list .more').exists()).toBe(false)
  })
})

describe('a level of very many bays', () => {
  const bays = Array.from({ length: 1200 }, (_, index) =>
    aBay({
      id: index + 1,
      label: `Z${String(index + 1).padStart(4, '0')}`,
      x: (index % 20) * 2.5 + 1.25,
      y: Math.floor(index / 40) * 16 + (index % 40 < 20 ? 2.5 : 13.5),
      rotation: index % 40 < 20 ? 0 : 180,
      state: index % 3 === 0 ? 'taken' : 'free',
    }),
  )

  it('is drawn with few elements, and still every bay can be reached', async () => {
    const { page, radio, press, focused, picked } = await show({ bays })
    expect(page.findAll('svg *').length).toBeLessThan(100)
    ;(radio('Z0002').element as SVGElement).focus()
    await press('ArrowRight')
    expect(document.activeElement?.getAttribute('aria-label')).toContain('Z0003')
    await press('ArrowDown')
    await press('ArrowDown')
    await press('End')
    expect(document.activeElement?.getAttribute('aria-label')).toContain('Z0060')
    expect(focused()).toBe('Z00')
    await press('Enter')
    expect(picked()).toEqual(['Z0060'])
  })

  it('has a hundred and twenty bays drawn one by one within the budget', async () => {
    const { page } = await show({ bays: bays.slice(0, 120) })
    expect(page.findAll('[role=radio]')).toHaveLength(80)
    expect(page.findAll('.yard svg *').length).toBeLessThanOrEqual(400)
  })
})
