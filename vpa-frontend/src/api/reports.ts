import { call, download, type Schema } from './http'

/** A month of one's parking. */
export type Report = Schema<'Report'>
export type ReportFormat = Report['files'][number]

export const listReports = (cursor: string | undefined, signal?: AbortSignal) =>
  call('get', '/api/v1/reports', { query: { limit: 12, ...(cursor && { cursor }) }, signal })

export const getReportFile = (id: number, format: ReportFormat) =>
  download(
    format === 'pdf' ? '/api/v1/reports/{report_id}.pdf' : '/api/v1/reports/{report_id}.xlsx',
    { path: { report_id: id } },
  )

/** Has it mailed once more. */
export const sendReport = (id: number) =>
  call('post', '/api/v1/reports/{report_id}/send', { path: { report_id: id } })
