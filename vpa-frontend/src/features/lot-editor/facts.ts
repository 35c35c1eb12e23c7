import type { LotCreate, LotUpdate } from '@/api/admin-lots'
import type { Lot } from '@/api/lots'

/** What is typed about a lot. */
export type FactValues = {
  name: string
  address: string
  city: string
  lat: string
  lng: string
  timezone: string
  opening_hours: string
  height_limit_cm: string
  amenities: string[]
  refund_policy: Lot['refund_policy']
  entry_minutes: string
  entry_minutes_long: string
  grace_minutes: string
  refunds_early_exit: boolean
  allows_reentry: boolean
  allows_self_check_in: boolean
}
export type Fact = keyof FactValues

export const FACTS = [
  'name',
  'address',
  'city',
  'lat',
  'lng',
  'timezone',
  'opening_hours',
  'height_limit_cm',
  'amenities',
  'refund_policy',
  'entry_minutes',
  'entry_minutes_long',
  'grace_minutes',
  'refunds_early_exit',
  'allows_reentry',
  'allows_self_check_in',
] as const satisfies readonly Fact[]

export const emptyFacts = (): FactValues => ({
  name: '',
  address: '',
  city: '',
  lat: '',
  lng: '',
  timezone: '',
  opening_hours: '24/7',
  height_limit_cm: '',
  amenities: [],
  refund_policy: 'standard',
  entry_minutes: '15',
  entry_minutes_long: '120',
  grace_minutes: '10',
  refunds_early_exit: false,
  allows_reentry: false,
  allows_self_check_in: false,
})

export const factsOf = (lot: Lot): FactValues => ({
  name: lot.name,
  address: lot.address,
  city: lot.city,
  lat: String(lot.lat),
  lng: String(lot.lng),
  timezone: lot.timezone,
  opening_hours: lot.opening_hours,
  height_limit_cm: lot.height_limit_cm?.toString() ?? '',
  amenities: [...lot.amenities],
  refund_policy: lot.refund_policy,
  entry_minutes: String(lot.entry_minutes),
  entry_minutes_long: String(lot.entry_minutes_long),
  grace_minutes: String(lot.grace_minutes),
  refunds_early_exit: lot.refunds_early_exit,
  allows_reentry: lot.allows_reentry,
  allows_self_check_in: lot.allows_self_check_in,
})

function bodyOf(values: FactValues): Required<Omit<LotUpdate, 'status'>> {
  return {
    name: values.name.trim(),
    address: values.address.trim(),
    city: values.city.trim(),
    lat: Number(values.lat),
    lng: Number(values.lng),
    timezone: values.timezone.trim(),
    opening_hours: values.opening_hours.trim(),
    height_limit_cm: values.height_limit_cm.trim() ? Number(values.height_limit_cm) : null,
    amenities: values.amenities,
    refund_policy: values.refund_policy,
    entry_minutes: Number(values.entry_minutes),
    entry_minutes_long: Number(values.entry_minutes_long),
    grace_minutes: Number(values.grace_minutes),
    refunds_early_exit: values.refunds_early_exit,
    allows_reentry: values.allows_reentry,
    allows_self_check_in: values.allows_self_check_in,
  }
}

/** A new lot; without a time zone it gets that of its point. */
export function newLotOf(values: FactValues): LotCreate {
  const { timezone, ...body } = bodyOf(values)
  return { ...body, ...(timezone && { timezone }) }
}

/** Only what differs, so that what somebody else changed meanwhile stays. */
export function changesOf(base: FactValues, values: FactValues): LotUpdate {
  const body = bodyOf(values)
  return Object.fromEntries(
    differing(base, values).map((fact) => [fact, body[fact]]),
  ) satisfies LotUpdate
}

export function differing(one: FactValues, other: FactValues): Fact[] {
  const text = (values: FactValues, fact: Fact) =>
    fact === 'amenities' ? [...values.amenities].sort().join('\n') : String(values[fact]).trim()
  return FACTS.filter((fact) => text(one, fact) !== text(other, fact))
}

/**
 * What was typed, on top of what somebody else saved meanwhile: theirs where nothing was typed, what was
 * typed everywhere else. `clashes` names where both changed something.
 */
export function mergeFacts(base: FactValues, theirs: FactValues, mine: FactValues) {
  const changedByThem = differing(base, theirs)
  const changedByMe = differing(base, mine)
  const values = { ...mine }
  for (const fact of changedByThem) {
    if (!changedByMe.includes(fact)) Object.assign(values, { [fact]: theirs[fact] })
  }
  return {
    values,
    changedByThem,
    clashes: changedByThem.filter(
      (fact) => changedByMe.includes(fact) && differing(theirs, mine).includes(fact),
    ),
  }
}
