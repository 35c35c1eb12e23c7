import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { defineComponent, h, nextTick, ref, type VNodeChild } from 'vue'
import { showPart } from '@/test/part'
import UiConfirm from './UiConfirm.vue'
import UiDialog from './UiDialog.vue'

enableAutoUnmount(afterEach)

const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
const button = (name: string) =>
  [...document.querySelectorAll<HTMLElement>('button')].find(
    (each) => each.getAttribute('aria-label') === name || each.textContent?.trim() === name,
  )
const focused = () => document.activeElement

/** A page with a heading and a button that opens a dialog. */
function openFrom(
  content: (close: () => void) => VNodeChild,
  footer?: () => VNodeChild,
  props: Record<string, unknown> = {},
) {
  const isOpen = ref(false)
  const hasOpener = ref(true)
  const page = showPart(
    defineComponent({
      setup: () => () =>
        h('main', [
          h('h1', 'Vehicles'),
          hasOpener.value
            ? h('button', { onClick: () => (isOpen.value = true) }, 'Open')
            : undefined,
          h(
            UiDialog,
            {
              title: 'Add a vehicle',
              ...props,
              open: isOpen.value,
              'onUpdate:open': (open: boolean) => (isOpen.value = open),
            },
            { default: () => content(() => (isOpen.value = false)), ...(footer && { footer }) },
          ),
        ]),
    }),
  )
  return {
    page,
    isOpen,
    hasOpener,
    async open() {
      const opener = page.find('button').element
      opener.focus()
      opener.click()
      await expect.poll(dialog).not.toBeNull()
      await settle()
    },
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20))
const press = (key: string) =>
  (focused() ?? document).dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
  )

describe('UiDialog', () => {
  it('is named, described, and closed by its button', async () => {
    const { open, isOpen } = openFrom(() => 'Body', undefined, {
      description: 'For your bookings.',
    })
    await open()
    const named = document.getElementById(dialog()?.getAttribute('aria-labelledby') ?? '')
    expect(named?.textContent).toBe('Add a vehicle')
    const described = document.getElementById(dialog()?.getAttribute('aria-describedby') ?? '')
    expect(described?.textContent).toBe('For your bookings.')
    button('Close')?.click()
    await nextTick()
    expect(isOpen.value).toBe(false)
  })

  it('describes nothing where nothing is to describe', async () => {
    const { open } = openFrom(() => 'Body')
    await open()
    expect(dialog()?.hasAttribute('aria-describedby')).toBe(false)
  })

  it('starts at its first field', async () => {
    const { open } = openFrom(() => [
      h('input', { name: 'email', readonly: true }),
      h('input', { name: 'password' }),
    ])
    await open()
    expect(focused()?.getAttribute('name')).toBe('password')
  })

  it('starts at what is marked for it, and else at its first button', async () => {
    const marked = openFrom(() => [h('input'), h('input', { name: 'b', 'data-autofocus': '' })])
    await marked.open()
    expect(focused()?.getAttribute('name')).toBe('b')
    marked.page.unmount()
    await settle()
    const plain = openFrom(() => 'Body')
    await plain.open()
    expect(focused()).toBe(button('Close'))
  })

  it('is closed by Escape, and the focus goes back to what opened it', async () => {
    const { page, open, isOpen } = openFrom(() => h('input'))
    await open()
    press('Escape')
    await expect.poll(() => isOpen.value).toBe(false)
    await expect.poll(focused).toBe(page.find('button').element)
  })

  it('gives the focus to the heading when what opened it is gone', async () => {
    const { page, open, isOpen, hasOpener } = openFrom(() => h('input'))
    await open()
    hasOpener.value = false
    isOpen.value = false
    await expect.poll(focused).toBe(page.find('h1').element)
  })

  it('shows a footer where it has one, and can be a sheet', async () => {
    const { open } = openFrom(
      () => 'Body',
      () => h('button', 'Save'),
      { look: 'sheet' },
    )
    await open()
    expect(dialog()?.querySelector('footer')?.textContent).toBe('Save')
    expect(dialog()?.dataset['look']).toBe('sheet')
  })
})

describe('UiConfirm', () => {
  async function ask(props: Record<string, unknown> = {}) {
    const confirm = showPart(UiConfirm, {
      props: {
        open: true,
        title: 'Delete DDAB1234?',
        text: 'Past bookings keep the plate.',
        confirm: 'Delete vehicle',
        ...props,
      },
      slots: { default: '<p>It has a booking.</p>' },
    })
    await expect.poll(dialog).not.toBeNull()
    await settle()
    return confirm
  }

  it('names the thing and the effect, and starts where nothing is lost', async () => {
    await ask()
    expect(dialog()?.textContent).toContain('Delete DDAB1234?')
    expect(dialog()?.textContent).toContain('Past bookings keep the plate.')
    expect(dialog()?.textContent).toContain('It has a booking.')
    expect(focused()).toBe(button('Cancel'))
  })

  it('tells the one and closes at the other', async () => {
    const confirm = await ask({ cancel: 'Keep it' })
    button('Delete vehicle')?.click()
    expect(confirm.emitted('confirm')).toHaveLength(1)
    expect(confirm.emitted('update:open')).toBeUndefined()
    button('Keep it')?.click()
    expect(confirm.emitted('update:open')).toEqual([[false]])
  })

  it('takes no second yes while it works', async () => {
    const confirm = await ask({ loading: true })
    button('Delete vehicle')?.click()
    expect(confirm.emitted('confirm')).toBeUndefined()
  })
})
