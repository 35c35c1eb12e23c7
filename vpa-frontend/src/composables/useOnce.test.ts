import { describe, expect, it, vi } from 'vitest'
import { useOnce } from './useOnce'

describe('useOnce', () => {
  it('runs an act once at a time, and again when it is over', async () => {
    const { isBusy, once } = useOnce()
    let finish: () => void = () => undefined
    const act = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const first = once(act)
    await once(act)
    expect([act.mock.calls.length, isBusy.value]).toEqual([1, true])
    finish()
    await first
    expect(isBusy.value).toBe(false)
    void once(act)
    expect(act).toHaveBeenCalledTimes(2)
  })

  it('is free again after a failure', async () => {
    const { isBusy, once } = useOnce()
    await expect(once(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(isBusy.value).toBe(false)
  })
})
