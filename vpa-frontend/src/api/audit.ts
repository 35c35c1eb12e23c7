import { call, type Schema } from './http'
import type { operations } from './schema'

export type AuditEntry = Schema<'AuditEntry'>
export type AuditQuery = NonNullable<operations['getAuditLog']['parameters']['query']>

export const searchAuditLog = (query: AuditQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/audit-log', { query, signal })
