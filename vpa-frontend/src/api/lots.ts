import { call, type Schema } from './http'
import type { operations } from './schema'

export type FoundLot = Schema<'FoundLot'>
export type LotList = Schema<'LotList'>
export type Lot = Schema<'Lot'>
export type SpotState = Schema<'SpotState'>
export type SpotKind = SpotState['kind']
export type LotQuery = NonNullable<operations['getLotList']['parameters']['query']>
export type AvailabilityQuery = NonNullable<operations['getLotHours']['parameters']['query']>
export interface Window {
  starts_at: string
  ends_at: string
}

export const searchLots = (query: LotQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/lots', { query, signal })

/** So many lots come at once. */
export const LOTS_AT_ONCE = 100

/** The first lots that a search finds, as one list, however many answers it takes. */
export async function searchFirstLots(
  query: LotQuery,
  count: number,
  signal?: AbortSignal,
): Promise<LotList> {
  const limit = Math.min(count, LOTS_AT_ONCE)
  let found = await searchLots({ ...query, limit }, signal)
  while (found.next_cursor && found.items.length < count) {
    const next = await searchLots({ ...query, limit, cursor: found.next_cursor }, signal)
    found = { ...next, items: [...found.items, ...next.items] }
  }
  return found
}

/** Free bays by hour, of one lot or of all that a search finds. */
export const getFreeHours = (query: AvailabilityQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/availability', { query, signal })

export const getLot = (lotId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/{lot_id}', { path: { lot_id: lotId }, signal })

/** Every bay of a lot and its state in a window. */
export const getSpots = (lotId: number, query: Window, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/{lot_id}/spots', { path: { lot_id: lotId }, query, signal })
