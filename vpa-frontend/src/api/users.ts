import { call, callTagged, type Schema } from './http'
import type { operations } from './schema'

export type Account = Schema<'Account'>
export type AccountUpdate = Schema<'AccountUpdate'>
export type Role = Account['roles'][number]
export type AccountQuery = NonNullable<operations['getUserList']['parameters']['query']>

export const searchUsers = (query: AccountQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/users', { query, signal })

/** A user and the tag of the state they were read in. */
export const readUser = (userId: number, signal?: AbortSignal) =>
  callTagged('get', '/api/v1/users/{user_id}', { path: { user_id: userId }, signal })

/** Changes what the body names, and nothing when the user is not in the state of the tag any more. */
export const changeUser = (userId: number, body: AccountUpdate, ifMatch?: string) =>
  callTagged('patch', '/api/v1/users/{user_id}', { path: { user_id: userId }, body, ifMatch })

export const listUserSessions = (userId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/users/{user_id}/sessions', {
    path: { user_id: userId },
    query: { limit: 100 },
    signal,
  })

export const endUserSessions = (userId: number) =>
  call('delete', '/api/v1/users/{user_id}/sessions', { path: { user_id: userId } })

/** For somebody who lost both the app and the recovery codes. */
export const removeUserSecondFactor = (userId: number) =>
  call('delete', '/api/v1/users/{user_id}/totp', { path: { user_id: userId } })

/** Who works at a lot, and the tag of that state. */
export const readStaff = (lotId: number, signal?: AbortSignal) =>
  callTagged('get', '/api/v1/lots/{lot_id}/staff', { path: { lot_id: lotId }, signal })

export const setStaff = (lotId: number, userIds: number[], ifMatch?: string) =>
  callTagged('put', '/api/v1/lots/{lot_id}/staff', {
    path: { lot_id: lotId },
    body: { user_ids: userIds },
    ifMatch,
  })
