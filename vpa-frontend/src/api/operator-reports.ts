import { call, type Schema } from './http'

/** A month of the installation, as a file. */
export type OperatorReport = Schema<'Report'>

export const listOperatorReports = (cursor: string | undefined, signal?: AbortSignal) =>
  call('get', '/api/v1/reports', {
    query: { audience: 'operator', limit: 12, ...(cursor && { cursor }) },
    signal,
  })

export const mailReport = (reportId: number) =>
  call('post', '/api/v1/reports/{report_id}/send', { path: { report_id: reportId } })
