import { call } from './http'

/** What the last look over the promises found. */
export const readInvariants = (signal?: AbortSignal) =>
  call('get', '/api/v1/system/invariants', { signal })
