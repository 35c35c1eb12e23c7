import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { showPart } from '@/test/part'
import UiTabs from './UiTabs.vue'

enableAutoUnmount(afterEach)

const show = () =>
  showPart(UiTabs, {
    props: {
      label: 'Car park',
      modelValue: 'details',
      tabs: [
        { value: 'details', label: 'Details' },
        { value: 'prices', label: 'Prices', count: 2 },
      ],
    },
    slots: { details: '<p>Where it is</p>', prices: '<p>What it costs</p>' },
  })

describe('UiTabs', () => {
  it('ties each tab to its part, and shows one of them', async () => {
    const tabs = show()
    await nextTick()
    expect(tabs.find('[role=tablist]').attributes('aria-label')).toBe('Car park')
    const [details, prices] = tabs.findAll('[role=tab]')
    expect(details?.attributes('aria-selected')).toBe('true')
    expect(prices?.attributes('aria-selected')).toBe('false')
    expect(prices?.text().replace(/\s+/g, ' ')).toBe('Prices 2')
    const panel = tabs.find(`[id="${details?.attributes('aria-controls')}"]`)
    expect(panel.attributes()).toMatchObject({
      role: 'tabpanel',
      'aria-labelledby': details?.attributes('id'),
    })
    expect(panel.text()).toBe('Where it is')
    expect(tabs.text()).not.toContain('What it costs')
  })

  it('moves by the arrow keys, and changes by Enter alone', async () => {
    const tabs = show()
    const [details, prices] = tabs.findAll<HTMLElement>('[role=tab]')
    details?.element.focus()
    await nextTick()
    await details?.trigger('keydown', { key: 'ArrowRight' })
    expect(document.activeElement).toBe(prices?.element)
    expect(tabs.emitted('update:modelValue')).toBeUndefined()
    await prices?.trigger('keydown', { key: 'Enter' })
    expect(tabs.emitted('update:modelValue')).toEqual([['prices']])
    await nextTick()
    expect(tabs.text()).toContain('What it costs')
  })
})
