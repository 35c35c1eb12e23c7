import { beforeEach, describe, expect, it, vi } from 'vitest'
import { kept } from './kept'

beforeEach(() => {
  localStorage.clear()
})

const number = () =>
  kept<number | null>(
    'localStorage',
    'vv.test',
    (text) => Number(text) || null,
    (value) => value?.toString() ?? null,
  )

describe('kept', () => {
  it('starts with what was kept, and keeps each change', () => {
    localStorage.setItem('vv.test', '4')
    const value = number()
    expect(value.value).toBe(4)
    value.value = 5
    expect(localStorage.getItem('vv.test')).toBe('5')
    value.value = null
    expect(localStorage.getItem('vv.test')).toBeNull()
  })

  it('follows what another page of the browser does', () => {
    const value = number()
    const tell = (key: string | null, newValue: string | null) =>
      window.dispatchEvent(
        new StorageEvent('storage', { storageArea: localStorage, key, newValue }),
      )
    tell('vv.test', '7')
    expect(value.value).toBe(7)
    tell('vv.other', '8')
    expect(value.value).toBe(7)
    tell(null, null)
    expect(value.value).toBeNull()
  })

  it('does without where the browser forbids it', () => {
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
      throw new Error('SecurityError')
    })
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new Error('QuotaExceededError')
    })
    const value = number()
    value.value = 5
    expect(value.value).toBe(5)
  })
})
