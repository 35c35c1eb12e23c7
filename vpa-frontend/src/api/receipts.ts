import { call } from './http'

/** What stands on the document of this number, to whoever holds it and so knows the word. */
export const verifyReceipt = (number: string, word: string, signal?: AbortSignal) =>
  call('get', '/api/v1/receipts/verify', { query: { number, word }, signal })
