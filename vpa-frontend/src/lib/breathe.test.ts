import { afterEach, expect, it, vi } from 'vitest'
import { apart, breathe } from './breathe'

afterEach(() => {
  vi.unstubAllGlobals()
})

it('lets other work come first', async () => {
  const order: string[] = []
  setTimeout(() => order.push('other'))
  await breathe()
  expect(order).toEqual(['other'])
})

it('uses what the browser has for it', async () => {
  const yielded = vi.fn(() => Promise.resolve())
  vi.stubGlobal('scheduler', { yield: yielded })
  await breathe()
  expect(yielded).toHaveBeenCalledOnce()
})

it('hands on what it loads, and that it failed', async () => {
  await expect(apart(() => Promise.resolve('part'))()).resolves.toBe('part')
  await expect(apart(() => Promise.reject(new Error('gone')))()).rejects.toThrow('gone')
})
