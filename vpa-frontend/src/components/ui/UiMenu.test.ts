import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { h } from 'vue'
import { showPart } from '@/test/part'
import UiButton from './UiButton.vue'
import UiMenu from './UiMenu.vue'

enableAutoUnmount(afterEach)

const menu = () => document.querySelector<HTMLElement>('[role=menu]')
const items = () => [...document.querySelectorAll<HTMLElement>('[role=menuitem]')]
const press = (key: string) =>
  document.activeElement?.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
  )
const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

function show(trigger = () => h('button', { 'aria-label': 'More' }, '…')) {
  const select = vi.fn()
  const wrapper = showPart(UiMenu, {
    props: {
      items: [
        { label: 'Edit', select },
        { label: 'Bookings', to: '/bookings' },
        { label: 'Delete', danger: true, select },
      ],
    },
    slots: { default: trigger, head: () => h('p', 'Asha Rao') },
  })
  const opener = wrapper.find('button')
  return {
    wrapper,
    select,
    opener,
    async open() {
      opener.element.focus()
      press('Enter')
      await expect.poll(menu).not.toBeNull()
      await settle()
    },
  }
}

describe('UiMenu', () => {
  it('says that its button opens a menu, and whether it is open', async () => {
    const { opener, open } = show()
    expect(opener.attributes()).toMatchObject({ 'aria-haspopup': 'menu', 'aria-expanded': 'false' })
    await open()
    expect(opener.attributes('aria-expanded')).toBe('true')
    expect(menu()?.textContent).toContain('Asha Rao')
    expect(items().map((item) => item.textContent?.trim())).toEqual(['Edit', 'Bookings', 'Delete'])
  })

  it('takes any button of ours for its trigger', async () => {
    const { opener, open } = show(() => h(UiButton, null, () => 'Menu'))
    expect(opener.attributes('aria-haspopup')).toBe('menu')
    await open()
    expect(items()).toHaveLength(3)
  })

  it('is driven by the keyboard, and gives the focus back', async () => {
    const { opener, open, select } = show()
    await open()
    press('End')
    await settle()
    expect(document.activeElement).toBe(items()[2])
    press('ArrowUp')
    press('ArrowUp')
    await settle()
    expect(document.activeElement).toBe(items()[0])
    press('Enter')
    await settle()
    expect(select).toHaveBeenCalledOnce()
    await expect.poll(menu).toBeNull()
    await expect.poll(() => document.activeElement).toBe(opener.element)
  })

  it('leads to where an item leads', async () => {
    const { wrapper, open } = show()
    await open()
    items()[1]?.click()
    await expect.poll(() => wrapper.vm.$router.currentRoute.value.path).toBe('/bookings')
  })

  it('closes on Escape without doing anything', async () => {
    const { open, select } = show()
    await open()
    press('Escape')
    await expect.poll(menu).toBeNull()
    expect(select).not.toHaveBeenCalled()
  })
})
