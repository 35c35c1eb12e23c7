import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import { typedSchema } from './typed-schema'

const schema = typedSchema(
  z.object({
    name: z.string().check(z.trim(), z.minLength(1, 'Enter a name.'), z.maxLength(3, 'Too long.')),
    address: z.object({ city: z.string().check(z.minLength(1, 'Enter a city.')) }),
    days: z.array(z.number().check(z.minimum(1, 'One at least.'))),
  }),
)

it('gives the values as the schema makes them', async () => {
  const values = { name: ' Ann ', address: { city: 'Dresden' }, days: [1] }
  expect(await schema.parse(values)).toEqual({
    value: { name: 'Ann', address: { city: 'Dresden' }, days: [1] },
    errors: [],
  })
})

it('tells each mistake by its path', async () => {
  const { errors, value } = await schema.parse({ name: '', address: { city: '' }, days: [1, 0] })
  expect(value).toBeUndefined()
  expect(errors).toEqual([
    { path: 'name', errors: ['Enter a name.'] },
    { path: 'address.city', errors: ['Enter a city.'] },
    { path: 'days.1', errors: ['One at least.'] },
  ])
})

it('keeps several mistakes of one field together', async () => {
  const twice = typedSchema(
    z.object({
      code: z.string().check(z.minLength(6, 'Six digits.'), z.regex(/^\d*$/, 'Digits only.')),
    }),
  )
  const { errors } = await twice.parse({ code: 'ab' })
  expect(errors).toEqual([{ path: 'code', errors: ['Six digits.', 'Digits only.'] }])
})
