import { nextTick, ref } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import { inSetup } from '@/test/in-setup'
import { useCursorPages, type ListPlace } from './useCursorPages'

async function list(start: ListPlace = { page: 1, after: '' }) {
  vi.spyOn(window, 'scrollTo').mockImplementation(() => undefined)
  const place = ref(start)
  const filters = ref('')
  const { result } = await inSetup(() =>
    useCursorPages(
      () => place.value,
      () => filters.value,
      (next) => Promise.resolve((place.value = next)),
    ),
  )
  return { place, filters, ...result }
}

describe('useCursorPages', () => {
  it('knows the way back over all pages that it came by', async () => {
    const { before, turnTo } = await list()
    expect(before.value).toBeUndefined()
    await turnTo({ page: 2, after: 'b' })
    expect(before.value).toEqual({ page: 1, after: '' })
    await turnTo({ page: 3, after: 'c' })
    await turnTo({ page: 4, after: 'd' })
    expect(before.value).toEqual({ page: 3, after: 'c' })
  })

  it('leads whoever came by a link to the first page', async () => {
    const { before } = await list({ page: 5, after: 'e' })
    expect(before.value).toEqual({ page: 1, after: '' })
  })

  it('forgets where pages of another list began', async () => {
    const { before, filters, place, turnTo } = await list()
    await turnTo({ page: 2, after: 'b' })
    await turnTo({ page: 3, after: 'c' })
    filters.value = 'altmarkt'
    await nextTick()
    place.value = { page: 3, after: 'x' }
    expect(before.value).toEqual({ page: 1, after: '' })
  })
})
