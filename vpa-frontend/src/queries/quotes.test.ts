import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, delay, http } from 'msw'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import type { QuoteCreate } from '@/api/quotes'
import { inSetup } from '@/test/in-setup'
import { settled } from '@/test/page'
import { server, useServer } from '@/test/server'
import { useQuote } from './quotes'

useServer()
enableAutoUnmount(afterEach)
afterEach(() => {
  vi.useRealTimers()
})

const first: QuoteCreate = {
  lot_id: 12,
  starts_at: '2026-11-27T09:00:00Z',
  ends_at: '2026-11-27T11:00:00Z',
  vehicle_id: 4,
  spot_kind: null,
}
const second = { ...first, ends_at: '2026-11-27T12:00:00Z' }

let asked: string[]
beforeEach(() => {
  asked = []
  server.use(
    http.post('*/api/v1/quotes', async ({ request }) => {
      const { ends_at } = (await request.json()) as QuoteCreate
      asked.push(ends_at)
      await delay(20)
      // The clock of the server is an hour behind this one.
      const expires_at = new Date(Date.now() - 50 * 60_000).toISOString()
      return HttpResponse.json({ id: asked.length, ends_at, expires_at }, { status: 201 })
    }),
  )
})

it('gives a price to book by, also when the page turns to another wish meanwhile', async () => {
  const wish = ref<QuoteCreate | undefined>(first)
  const { result } = await inSetup(() => useQuote(wish))
  wish.value = second
  const price = result.price(second)
  await settled(() => asked.includes(second.ends_at))
  wish.value = undefined
  await expect(price).resolves.toMatchObject({ ends_at: second.ends_at })
})

it('lasts from its arrival on, whatever the clock of the device says', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  const { result } = await inSetup(() => useQuote(first))
  for (let tries = 0; tries < 50 && !result.data.value; tries += 1) {
    await vi.advanceTimersByTimeAsync(20)
  }
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(1)
  await expect(result.price(first)).resolves.toMatchObject({ id: 1 })
  await vi.advanceTimersByTimeAsync(9 * 60_000)
  expect(asked).toHaveLength(2)
})
