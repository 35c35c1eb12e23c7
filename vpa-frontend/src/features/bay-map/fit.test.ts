import { expect, it } from 'vitest'
import { fittingKinds } from './fit'

it.each([
  [{ vehicle_kind: 'car' }, false, ['standard', 'compact', 'large']],
  [{ vehicle_kind: 'car', electric: true }, false, ['standard', 'compact', 'large', 'electric']],
  [{ vehicle_kind: 'motorcycle', electric: true }, false, ['motorcycle']],
  [{ vehicle_kind: 'van' }, true, ['large', 'accessible']],
  [{ vehicle_kind: 'motorcycle' }, true, ['motorcycle', 'accessible']],
] as const)('%o with a permit: %s', (wish, hasPermit, kinds) => {
  expect(fittingKinds(wish, hasPermit)).toEqual(kinds)
})
