import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { showPart } from '@/test/part'
import UiErrorSummary from './UiErrorSummary.vue'
import UiNotice from './UiNotice.vue'

enableAutoUnmount(afterEach)

describe('UiNotice', () => {
  it.each([
    ['info', 'status'],
    ['ok', 'status'],
    ['warn', 'alert'],
    ['bad', 'alert'],
  ] as const)('is heard as it should be: %s is a %s', (tone, role) => {
    const notice = showPart(UiNotice, { props: { tone }, slots: { default: 'Two minutes left.' } })
    expect(notice.attributes()).toMatchObject({ role, 'data-tone': tone })
    expect(notice.find('svg').attributes('aria-hidden')).toBe('true')
    expect(notice.text()).toBe('Two minutes left.')
  })

  it('has a title and a next step where it is given them', () => {
    const notice = showPart(UiNotice, {
      props: { title: 'Somebody was faster' },
      slots: { default: 'B09 is free.', action: '<button>Take B09</button>' },
    })
    expect(notice.find('.title').text()).toBe('Somebody was faster')
    expect(notice.find('button').text()).toBe('Take B09')
    expect(showPart(UiNotice).find('.action').exists()).toBe(false)
  })
})

describe('UiErrorSummary', () => {
  it('lists what is wrong when it is more than two things', async () => {
    const summary = showPart(UiErrorSummary, {
      props: { errors: { name: 'Enter your name.', email: 'Enter an address.', phone: undefined } },
    })
    expect(summary.text()).toBe('')
    await summary.setProps({
      errors: { name: 'Enter your name.', email: 'Enter an address.', plate: 'Enter the plate.' },
    })
    expect(summary.find('[role=alert]').text()).toContain('3 fields need a change')
    expect(summary.findAll('li').map((item) => item.text())).toEqual([
      'Enter your name.',
      'Enter an address.',
      'Enter the plate.',
    ])
  })
})
