import { call, type Schema } from './http'
import type { operations } from './schema'

/** A file of rows that was asked for. */
export type Export = Schema<'Job'>
export type ExportCreate = Schema<'ExportCreate'>
export type ExportKind = ExportCreate['kind']
export type ExportFormat = ExportCreate['format']
export type ExportFilters = NonNullable<ExportCreate['filters']>
export type ExportQuery = NonNullable<operations['getExportList']['parameters']['query']>
export type DownloadCreate = Schema<'DownloadCreate'>

export const listExports = (query: ExportQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/exports', { query, signal })

export const requestExport = (body: ExportCreate) => call('post', '/api/v1/exports', { body })

export const cancelJob = (jobId: number) =>
  call('post', '/api/v1/jobs/{job_id}/cancel', { path: { job_id: jobId } })

/** A link that gives a file once, within a minute, so that the browser itself keeps it as it comes. */
export const offerDownload = (body: DownloadCreate) => call('post', '/api/v1/downloads', { body })
