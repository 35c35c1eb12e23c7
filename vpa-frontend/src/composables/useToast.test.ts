import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import UiToaster from '@/components/ui/UiToaster.vue'
import { ApiError } from '@/lib/errors'
import { isToasterWanted, sayError, useToast } from './useToast'

enableAutoUnmount(afterEach)
beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 0))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

const toasts = () => [...document.querySelectorAll('[data-sonner-toast]')]
const openToaster = () =>
  mount(UiToaster, {
    attachTo: document.body,
    global: { plugins: [createPinia(), [I18NextVue, { i18next }]] },
  })

describe('useToast', () => {
  it('brings the toaster first, and loses nothing that was said before it was there', async () => {
    expect(isToasterWanted.value).toBe(false)
    const { done, dismiss } = useToast()
    await dismiss('nothing')
    expect(isToasterWanted.value).toBe(false)
    void done('The vehicle was saved.')
    await flushPromises()
    expect(isToasterWanted.value).toBe(true)
    openToaster()
    await expect.poll(() => toasts().map((toast) => toast.textContent)).toHaveLength(1)
    expect(toasts()[0]?.textContent).toContain('The vehicle was saved.')
  })

  it('replaces a failure of the same form, and takes it away when it is over', async () => {
    openToaster()
    const { failed, dismiss } = useToast()
    const failures = () => toasts().filter((toast) => toast.getAttribute('data-type') === 'error')
    await failed('One.', 'form')
    await failed('Two.', 'form')
    await expect.poll(() => failures().map((toast) => toast.textContent?.trim())).toEqual(['Two.'])
    await dismiss('form')
    await expect
      .poll(() => failures().filter((toast) => toast.getAttribute('data-removed') !== 'true'))
      .toEqual([])
  })

  it('offers a way back', async () => {
    openToaster()
    const undo = vi.fn()
    await useToast().done('Cancelled.', { label: 'Undo', onClick: undo })
    await expect.poll(() => document.querySelector('[data-action]')?.textContent).toBe('Undo')
    document.querySelector<HTMLElement>('[data-action]')?.click()
    expect(undo).toHaveBeenCalledOnce()
  })

  it('says an error that nobody expected in a sentence', async () => {
    openToaster()
    await useToast().unexpected(new ApiError(0, {}))
    await expect
      .poll(() => toasts().some((toast) => toast.textContent?.includes('does not answer')))
      .toBe(true)
  })
})

describe('sayError', () => {
  const refused = (status: number, more: Record<string, unknown> = {}) =>
    sayError(new ApiError(status, { type: '/problems/any', ...more }))

  it('tells what to do', () => {
    expect(refused(0)).toMatch(/Check your connection/)
    expect(refused(500, { request_id: 'r-17' })).toMatch(/reference r-17/)
    expect(refused(500)).toMatch(/Reload the page/)
    expect(sayError(new TypeError('x is undefined'))).toMatch(/Reload the page/)
  })

  it('says how long to wait, in seconds or minutes', () => {
    expect(refused(429, { retry_after: 1 })).toMatch(/Wait 1 second and/)
    expect(refused(429, { retry_after: 45 })).toMatch(/Wait 45 seconds/)
    expect(refused(429, { retry_after: 800 })).toMatch(/Wait 14 minutes/)
    expect(refused(429)).toMatch(/Wait 60 seconds/)
  })

  it('keeps the sentence of the API where it has one for people', () => {
    expect(refused(409, { detail: 'Bay B08 is taken.' })).toBe('Bay B08 is taken.')
    expect(refused(403, { detail: 'Not you.' })).toBe('Not you.')
    expect(refused(404, { detail: 'You have no vehicle 9.' })).toBe('You have no vehicle 9.')
    expect(refused(422, { errors: { plate: ['Too short.'] } })).toBe('Too short.')
    expect(refused(401, { type: '/p/invalid-credentials', detail: 'Wrong.' })).toBe('Wrong.')
  })

  it('has one of its own where there is none', () => {
    expect(refused(403)).toBe('Your account may not do this.')
    expect(refused(404)).toBe('This is not here any more.')
    expect(refused(422, { errors: { plate: [] } })).toBe('Please mend the marked fields.')
    expect(refused(409)).toMatch(/Something went wrong/)
    expect(refused(401, { detail: 'Send a valid access token.' })).toBe('Please sign in again')
  })
})
