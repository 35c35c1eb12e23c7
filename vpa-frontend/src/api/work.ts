import { call, type Schema } from './http'
import type { operations } from './schema'

/** A piece of work in the background. */
export type Work = Schema<'Work'>
export type WorkQuery = NonNullable<operations['getWorkList']['parameters']['query']>

export const searchWork = (query: WorkQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/system/jobs', { query, signal })

export const retryWork = ({ what, id }: Pick<Work, 'what' | 'id'>) =>
  call('post', '/api/v1/system/jobs/{what}/{work_id}/retry', { path: { what, work_id: id } })
