import { call, type Schema } from './http'

export type WaitlistEntry = Schema<'WaitlistEntry'>
export type WaitlistCreate = Schema<'WaitlistCreate'>

export const listWaitlist = (signal?: AbortSignal) =>
  call('get', '/api/v1/waitlist', { query: { limit: 100 }, signal })

export const joinWaitlist = (body: WaitlistCreate, idempotencyKey: string) =>
  call('post', '/api/v1/waitlist', { body, idempotencyKey })

export const leaveWaitlist = (id: number) =>
  call('delete', '/api/v1/waitlist/{entry_id}', { path: { entry_id: id } })
