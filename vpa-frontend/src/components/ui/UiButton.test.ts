import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { showPart } from '@/test/part'
import UiButton from './UiButton.vue'
import UiIconButton from './UiIconButton.vue'

enableAutoUnmount(afterEach)

describe('UiButton', () => {
  it('is a button that submits nothing by itself, and tells each click', async () => {
    const click = vi.fn()
    const button = showPart(UiButton, { attrs: { onClick: click }, slots: { default: 'Save' } })
    expect(button.element.tagName).toBe('BUTTON')
    expect(button.attributes('type')).toBe('button')
    await button.trigger('click')
    expect(click).toHaveBeenCalledOnce()
  })

  it('swallows clicks while it is busy, and says that it is', async () => {
    const click = vi.fn()
    const button = showPart(UiButton, { props: { loading: true }, attrs: { onClick: click } })
    await button.trigger('click')
    expect(click).not.toHaveBeenCalled()
    expect(button.attributes()).toMatchObject({ 'aria-busy': 'true', 'aria-disabled': 'true' })
    // It stays in the order of the tab key: a disabled button would drop the focus.
    expect(button.attributes('disabled')).toBeUndefined()
    await button.setProps({ loading: false })
    await button.trigger('click')
    expect(click).toHaveBeenCalledOnce()
    expect(button.attributes('aria-busy')).toBeUndefined()
  })

  it('keeps a form from being sent while it is busy', async () => {
    const submit = vi.fn((event: Event) => event.preventDefault())
    const place = document.createElement('form')
    place.addEventListener('submit', submit)
    document.body.append(place)
    const button = showPart(UiButton, {
      attachTo: place,
      props: { type: 'submit', loading: true },
    })
    ;(button.element as HTMLButtonElement).click()
    expect(submit).not.toHaveBeenCalled()
    await button.setProps({ loading: false })
    ;(button.element as HTMLButtonElement).click()
    expect(submit).toHaveBeenCalledOnce()
    place.remove()
  })

  it('is a link where it leads somewhere', () => {
    const inside = showPart(UiButton, { props: { to: '/vehicles' } })
    expect(inside.element.tagName).toBe('A')
    expect(inside.attributes('href')).toBe('/vehicles')
    const outside = showPart(UiButton, { props: { href: 'https://example.com/' } })
    expect(outside.attributes('href')).toBe('https://example.com/')
    expect(outside.attributes('type')).toBeUndefined()
  })

  it('does not follow its link while it is busy', async () => {
    const link = showPart(UiButton, { props: { to: '/vehicles', loading: true } })
    const click = new MouseEvent('click', { bubbles: true, cancelable: true })
    link.element.dispatchEvent(click)
    expect(click.defaultPrevented).toBe(true)
    expect(link.vm.$router.currentRoute.value.path).toBe('/')
  })
})

describe('UiIconButton', () => {
  it('has a name, which also shows on hover', async () => {
    const click = vi.fn()
    const button = showPart(UiIconButton, {
      props: { label: 'Close' },
      attrs: { onClick: click },
      slots: { default: '<svg />' },
    })
    expect(button.attributes()).toMatchObject({
      'aria-label': 'Close',
      title: 'Close',
      type: 'button',
    })
    await button.trigger('click')
    expect(click).toHaveBeenCalledOnce()
  })
})
