import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { h } from 'vue'
import { ApiError } from '@/lib/errors'
import { showPart } from '@/test/part'
import UiAsync from './UiAsync.vue'
import UiEmpty from './UiEmpty.vue'
import UiSkeleton from './UiSkeleton.vue'

enableAutoUnmount(afterEach)

const show = (props: Record<string, unknown>) =>
  showPart(UiAsync, {
    props: { data: undefined, error: null, ...props },
    slots: {
      skeleton: () => h(UiSkeleton, { height: '40px', width: '50%' }),
      empty: () => h(UiEmpty, { title: 'No booking yet' }, () => h('button', 'Find parking')),
      default: ({ data }: { data: string[] }) =>
        h(
          'ul',
          data.map((each) => h('li', each)),
        ),
    },
  })

const isEmpty = (list: string[]) => list.length === 0

describe('UiAsync', () => {
  it('shows the shape of what is to come, and says that it loads', () => {
    const block = show({})
    expect(block.find('[role=status]').text()).toBe('Loading')
    const skeleton = block.find('[aria-hidden=true]')
    expect((skeleton.element as HTMLElement).style.blockSize).toBe('40px')
  })

  it('shows what came', () => {
    const block = show({ data: ['Altmarkt', 'Florentinum'], isEmpty })
    expect(block.findAll('li').map((item) => item.text())).toEqual(['Altmarkt', 'Florentinum'])
    expect(block.find('[role=status]').exists()).toBe(false)
  })

  it('says that nothing came, and what to do', () => {
    const block = show({ data: [], isEmpty })
    expect(block.text()).toContain('No booking yet')
    expect(block.find('button').text()).toBe('Find parking')
    expect(block.find('ul').exists()).toBe(false)
  })

  it('takes an empty list for data where nobody says what empty is', () => {
    expect(show({ data: [] }).find('ul').exists()).toBe(true)
  })

  it('says what went wrong, and tries again', async () => {
    const block = show({ error: new ApiError(0, {}) })
    expect(block.find('[role=alert]').text()).toContain('Check your connection')
    expect(block.find('[role=status]').exists()).toBe(false)
    await block.find('button').trigger('click')
    expect(block.emitted('retry')).toHaveLength(1)
  })

  it('keeps what it has when fetching it again fails', () => {
    const block = show({ data: ['Altmarkt'], error: new ApiError(0, {}) })
    expect(block.find('[role=alert]').exists()).toBe(true)
    expect(block.find('li').text()).toBe('Altmarkt')
  })
})
