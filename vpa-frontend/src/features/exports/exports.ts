import type { Export, ExportCreate, ExportFilters, ExportFormat, ExportKind } from '@/api/exports'

export const KINDS = [
  'reservations',
  'payments',
  'ledger',
  'users',
  'audit',
  'lots',
] as const satisfies readonly ExportKind[]
export const FORMATS = ['xlsx', 'csv'] as const satisfies readonly ExportFormat[]

/** What a list on the screen asks the API for: its place in the list, its days, and its filters. */
export type ListQuery = ExportFilters & {
  limit?: number
  cursor?: string
  from?: string
  to?: string
}

const NO_FILTER = new Set(['limit', 'cursor', 'from', 'to'])

/** The export of exactly what a list shows, on all of its pages. */
export function exportOf(kind: ExportKind, format: ExportFormat, list: ListQuery): ExportCreate {
  const { from, to } = list
  const filters: ExportFilters = Object.fromEntries(
    Object.entries(list).filter(([name]) => !NO_FILTER.has(name)),
  )
  return {
    kind,
    format,
    ...(from && { from }),
    ...(to && { to }),
    ...(Object.keys(filters).length > 0 && { filters }),
  }
}

const PREFIX = 'export-'

/** What an export holds; undefined for another kind of job. */
export const kindOf = (job: Export): ExportKind | undefined =>
  KINDS.find((kind) => job.kind === PREFIX + kind)

export const formatOf = (job: Export): ExportFormat | undefined =>
  FORMATS.find((format) => format === job.params['format'])

/** The moments between which the rows of an export lie. */
export function spanOf({ params }: Export) {
  const moment = (name: string) => {
    const value = params[name]
    return typeof value === 'string' ? value : undefined
  }
  return { from: moment('from'), to: moment('to') }
}

export function filtersOf({ params }: Export): ExportFilters {
  const filters: unknown = params['filters']
  return typeof filters === 'object' && filters !== null ? filters : {}
}

/** The same export asked for once more. */
export function againOf(job: Export): ExportCreate | undefined {
  const [kind, format] = [kindOf(job), formatOf(job)]
  return kind && format && exportOf(kind, format, { ...filtersOf(job), ...spanOf(job) })
}

const STEP = 1024

/** Bytes as people read them: 1.4 MB. */
export function formatSize(bytes: number, locale: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const power = bytes < 1 ? 0 : Math.min(3, Math.floor(Math.log(bytes) / Math.log(STEP)))
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(bytes / STEP ** power)
}
