import { expect, it } from 'vitest'
import { reactive } from 'vue'
import { useWishKey } from './useWishKey'

it('stays the same for each try of the same wish', () => {
  const wish = useWishKey(() => reactive({ plate: 'AB12' }))
  const key = wish.take()
  expect(key).toMatch(/^[\da-f-]{36}$/)
  expect(wish.take()).toBe(key)
})

it('is another one when the wish changed after a try', () => {
  const values = reactive({ plate: 'AB12', at: { level: 'B1' } })
  const wish = useWishKey(() => values)
  const first = wish.take()
  values.at.level = 'B2'
  const second = wish.take()
  expect(second).not.toBe(first)
  expect(wish.take()).toBe(second)
})

it('is not spent by what is typed before the first try', () => {
  const values = reactive({ plate: '' })
  const wish = useWishKey(() => values)
  values.plate = 'AB12'
  const key = wish.take()
  expect(wish.take()).toBe(key)
})

it('differs from wish to wish', () => {
  expect(useWishKey(() => 1).take()).not.toBe(useWishKey(() => 1).take())
})
