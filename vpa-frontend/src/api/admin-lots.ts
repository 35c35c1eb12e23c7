import { call, callTagged, download, type Schema } from './http'

export type LotCreate = Schema<'LotCreate'>
export type LotUpdate = Schema<'LotUpdate'>

/** A flat price for whoever drives in and out within its hours. */
export type TariffBand = Required<Schema<'Band'>>
/** What bays of a kind cost of the usual price: 10000 is all of it. */
export type TariffKindRule = Schema<'KindRule'>
/** What some days cost of the usual price. */
export type TariffDayRule = Required<Schema<'DayRule'>>
/** Terms that the answers always tell in full, and the form always sends so. */
interface Terms {
  day_cap_minor: number | null
  week_cap_minor: number | null
  minimum_minor: number | null
  holiday_region: string | null
  bands: TariffBand[]
  kind_rules: TariffKindRule[]
  day_rules: TariffDayRule[]
}
export type Tariff = Omit<Schema<'Tariff'>, keyof Terms> & Terms
export type TariffCreate = Omit<Schema<'TariffCreate'>, keyof Terms> & Terms
export type TariffPage = Omit<Schema<'TariffPage'>, 'items'> & { items: Tariff[] }
/** What the stays of a span of days would have cost under another tariff. */
export type TariffChanges = Schema<'Preview'>
export type SpotCreate = Schema<'SpotCreate'>
export type SpotUpdate = Schema<'SpotUpdate'>
export type SpotClosure = Schema<'SpotClosure'>
export type ImportReport = Schema<'ImportReport'>
export type ImportRow = Schema<'ImportRow'>

const IMPORT_TIMEOUT = 5 * 60_000
const SLOW_TIMEOUT = 60_000

export const createLot = (body: LotCreate, idempotencyKey: string) =>
  call('post', '/api/v1/lots', { body, idempotencyKey })

/** A lot and the tag of the state it was read in. */
export const readLot = (lotId: number, signal?: AbortSignal) =>
  callTagged('get', '/api/v1/lots/{lot_id}', { path: { lot_id: lotId }, signal })

/** Changes what the body names, and nothing when the lot is not in the state of the tag any more. */
export const changeLot = (lotId: number, body: LotUpdate, ifMatch?: string) =>
  callTagged('patch', '/api/v1/lots/{lot_id}', { path: { lot_id: lotId }, body, ifMatch })

export const archiveLot = (lotId: number) =>
  call('delete', '/api/v1/lots/{lot_id}', { path: { lot_id: lotId } })

/** Every bay of a lot; what is free is another matter. */
export const listBays = (lotId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/{lot_id}/spots', { path: { lot_id: lotId }, signal })

export const listClosures = (lotId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/{lot_id}/closures', { path: { lot_id: lotId }, signal })

/** Adds a row of bays, all or none. */
export const addBays = (lotId: number, body: SpotCreate, idempotencyKey: string) =>
  call('post', '/api/v1/lots/{lot_id}/spots', { path: { lot_id: lotId }, body, idempotencyKey })

export const changeBay = (spotId: number, body: SpotUpdate) =>
  call('patch', '/api/v1/spots/{spot_id}', { path: { spot_id: spotId }, body })

/** The versions of a lot's tariff, the newest first. */
export const listTariffs = (lotId: number, cursor?: string, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/{lot_id}/tariffs', {
    path: { lot_id: lotId },
    query: { ...(cursor && { cursor }) },
    signal,
  }) as Promise<TariffPage>

export const draftTariff = (lotId: number, body: TariffCreate, idempotencyKey: string) =>
  call('post', '/api/v1/lots/{lot_id}/tariffs', {
    path: { lot_id: lotId },
    body,
    idempotencyKey,
  }) as Promise<Tariff>

/** Re-prices last month's stays by a draft, or by terms that are not saved yet. */
export const previewTariff = (
  body: { lot_id: number } & ({ tariff_id: number } | { tariff: TariffCreate }),
) => call('post', '/api/v1/tariffs/preview', { body, timeout: SLOW_TIMEOUT })

export const publishTariff = (tariffId: number) =>
  call('post', '/api/v1/tariffs/{tariff_id}/publish', {
    path: { tariff_id: tariffId },
  }) as Promise<Tariff>

/** Brings lots from a file, or tells what that would do. */
export function importLots(file: File, isDryRun: boolean, signal?: AbortSignal) {
  const body = new FormData()
  body.append('file', file)
  body.append('dry_run', String(isDryRun))
  return call('post', '/api/v1/lots/import', { body, signal, timeout: IMPORT_TIMEOUT })
}

export const getImportTemplate = () => download('/api/v1/lots/import-template.xlsx')
