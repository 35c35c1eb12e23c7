import { call, type Schema } from './http'

export type Quote = Schema<'Quote'>
export type QuoteCreate = Schema<'QuoteCreate'>

export const makeQuote = (body: QuoteCreate, signal?: AbortSignal) =>
  call('post', '/api/v1/quotes', { body, signal })
