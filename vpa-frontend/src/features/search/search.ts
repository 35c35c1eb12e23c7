import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AvailabilityQuery } from '@/api/lots'
import type { VehicleWish } from '@/lib/wish'

export interface Point {
  lat: number
  lng: number
}

/** What is looked for, as it stands in the address. */
export interface Search {
  /** Words of a name, an address or a city; there is no point beside it. */
  q: string
  point: Point | undefined
  /** Metres around the point. */
  radius: number | undefined
  /** What the point is called, where it has a name. */
  place: string | undefined
  amenities: Amenity[]
  charging: boolean
  /** Only lots that drivers rate well. */
  rated: boolean
  sort: Sort | undefined
}

/** What lots offer that is worth a filter; the API knows them by these names. */
export const AMENITIES = ['covered', 'underground', 'lighting', 'video'] as const
export type Amenity = (typeof AMENITIES)[number]

export const SORTS = ['price', 'rating'] as const
export type Sort = (typeof SORTS)[number]

/** So many of five stars are a good rating. */
export const GOOD_RATING = 4

/** As far as the API looks. */
export const RADIUS_MAX_M = 50_000
export const NEARBY_M = 1_000
const Q_MAX = 100

const isAmenity = (value: unknown): value is Amenity => AMENITIES.some((each) => each === value)

const textOf = (value: LocationQuery[string] | undefined, most = Q_MAX) =>
  typeof value === 'string' ? value.trim().slice(0, most) : ''

function numberOf(value: LocationQuery[string] | undefined, least: number, most: number) {
  const number = Number(textOf(value) || Number.NaN)
  return number >= least && number <= most ? number : undefined
}

/** Reads an address; what makes no sense in it is as if it were not there. */
export function readSearch(query: LocationQuery): Search {
  const q = textOf(query['q'])
  const lat = numberOf(query['lat'], -90, 90)
  const lng = numberOf(query['lng'], -180, 180)
  const point = !q && lat !== undefined && lng !== undefined ? { lat, lng } : undefined
  const radius = point && numberOf(query['radius'], 1, RADIUS_MAX_M)
  return {
    q,
    point,
    radius: radius && Math.round(radius),
    place: (point && textOf(query['place'])) || undefined,
    amenities: [query['amenity'] ?? []].flat().filter(isAmenity),
    charging: query['kind'] === 'electric',
    rated: query['rated'] === '1',
    sort: SORTS.find((each) => each === query['sort']),
  }
}

/** The keys of an address that say this; those that say nothing go. */
export function writeSearch(search: Search): LocationQueryRaw {
  const { q, point, radius, place, amenities, charging, rated, sort } = search
  return {
    q: q || undefined,
    lat: point?.lat,
    lng: point?.lng,
    radius,
    place,
    amenity: amenities.length > 0 ? amenities : undefined,
    kind: charging ? 'electric' : undefined,
    rated: rated ? '1' : undefined,
    sort,
  }
}

/** Four decimals are ten metres: enough to walk, and no more than a link should tell. */
export const roundPoint = ({ lat, lng }: Point): Point => ({
  lat: Number(lat.toFixed(4)),
  lng: Number(lng.toFixed(4)),
})

export const anywhere = { q: '', point: undefined, radius: undefined, place: undefined }
export const unfiltered = { amenities: [], charging: false, rated: false }

export const isFiltered = (search: Search): boolean =>
  search.charging || search.rated || search.amenities.length > 0

/** Only cars charge. */
export const canCharge = (wish: VehicleWish): boolean => wish.vehicle_kind === 'car'

/** Which lots, and for which vehicle, in the API's terms; the same for the list and for the free hours. */
export function filterOf(search: Search, wish: VehicleWish): AvailabilityQuery {
  const { q, point, radius, amenities } = search
  const charging = search.charging && canCharge(wish)
  const asked = charging ? [...amenities, 'charging'] : amenities
  return {
    ...(q && { q }),
    ...point,
    ...(radius && { radius_m: radius }),
    ...(asked.length > 0 && { amenity: asked }),
    ...(charging && { spot_kind: 'electric' }),
    ...(search.rated && { min_rating: GOOD_RATING }),
    ...wish,
  }
}

/** Compared as people read: without case and accents. */
const fold = (text: string) =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase('en').replaceAll('ß', 'ss')

export const isSameName = (one: string, other: string): boolean => fold(one) === fold(other)

/**
 * Whether the point that distances start from is what was looked for: a place, or a lot whose name was
 * typed. Of all lots of a city it is just one of them, and tells nobody how far they walk.
 */
export function isMeasured(search: Search, place: string | null | undefined): boolean {
  if (search.point) return true
  const name = fold(place ?? '')
  return (
    search.q !== '' &&
    name !== '' &&
    fold(search.q)
      .split(/\s+/)
      .every((w) => name.includes(w))
  )
}
