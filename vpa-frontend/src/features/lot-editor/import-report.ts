import type { ImportReport, ImportRow } from '@/api/admin-lots'

export type Outcome = ImportRow['outcome']
export const OUTCOMES = [
  'created',
  'changed',
  'unchanged',
  'refused',
] as const satisfies readonly Outcome[]

export const MOST_BYTES = 10 * 1024 * 1024
const KINDS = /\.(?:geojson|json|csv|xlsx)$/i

/** Why a file is not worth sending. */
export function mistakeOfFile({
  name,
  size,
}: Pick<File, 'name' | 'size'>): 'empty' | 'tooLarge' | 'wrongKind' | undefined {
  if (!KINDS.test(name)) return 'wrongKind'
  if (size === 0) return 'empty'
  return size > MOST_BYTES ? 'tooLarge' : undefined
}

/** How many lots an import brings or changes. */
export const countImported = ({ created, changed }: ImportReport): number => created + changed

/** The rows of an outcome, in the order of the file. */
export function rowsOf(report: ImportReport, outcome: Outcome | 'all'): ImportRow[] {
  return report.rows.filter((row) => outcome === 'all' || row.outcome === outcome)
}

/** What one would look at first: what is refused, else everything. */
export const firstLook = (report: ImportReport): Outcome | 'all' =>
  report.refused > 0 ? 'refused' : 'all'
