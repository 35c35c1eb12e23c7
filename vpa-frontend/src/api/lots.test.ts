import { HttpResponse, http } from 'msw'
import { expect, it } from 'vitest'
import { aFoundLot } from '@/test/lots'
import { server, useServer } from '@/test/server'
import { searchFirstLots } from './lots'

useServer()

const many = Array.from({ length: 250 }, (_, id) => aFoundLot({ id }))

/** Answers as the API does, and tells what it was asked. */
function answer(): string[] {
  const asked: string[] = []
  server.use(
    http.get('*/api/v1/lots', ({ request }) => {
      const query = new URL(request.url).searchParams
      asked.push(`${query.get('limit')} from ${query.get('cursor') ?? 0}`)
      const from = Number(query.get('cursor'))
      const to = from + Number(query.get('limit'))
      return HttpResponse.json({
        items: many.slice(from, to),
        next_cursor: to < many.length ? String(to) : null,
        total: many.length,
        place: null,
      })
    }),
  )
  return asked
}

it('brings a page of lots in one answer', async () => {
  const asked = answer()
  const found = await searchFirstLots({ q: 'ulm' }, 40)
  expect([found.items.length, found.total, found.next_cursor]).toEqual([40, 250, '40'])
  expect(asked).toEqual(['40 from 0'])
})

it('puts the answers together where one does not hold so many', async () => {
  const asked = answer()
  const found = await searchFirstLots({}, 200)
  expect(found.items.map((lot) => lot.id)).toEqual(many.slice(0, 200).map((lot) => lot.id))
  expect(asked).toEqual(['100 from 0', '100 from 100'])
})

it('ends where the lots end', async () => {
  answer()
  const found = await searchFirstLots({}, 500)
  expect([found.items.length, found.next_cursor]).toEqual([250, null])
})
