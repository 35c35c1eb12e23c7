import { describe, expect, it, vi } from 'vitest'
import { inSetup } from '@/test/in-setup'
import { useOnline } from './useOnline'

describe('useOnline', () => {
  it('follows the browser', async () => {
    const { result: isOnline } = await inSetup(() => useOnline())
    expect(isOnline.value).toBe(true)
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    window.dispatchEvent(new Event('offline'))
    expect(isOnline.value).toBe(false)
    vi.restoreAllMocks()
    window.dispatchEvent(new Event('online'))
    expect(isOnline.value).toBe(true)
  })
})
