import { call, type Schema } from './http'

/** What the link of a mail would do, or did. */
export type Look = Schema<'Look'>

export const lookAtLink = (token: string, signal?: AbortSignal) =>
  call('post', '/api/v1/links/look', { body: { token }, signal })

export const actOnLink = (token: string, refund: number | undefined) =>
  call('post', '/api/v1/links/act', {
    body: { token, ...(refund !== undefined && { expected_refund_minor: refund }) },
  })

/** Switches off the mails of the kind that a link at the foot of one names. */
export const unsubscribe = (token: string) =>
  call('post', '/api/v1/unsubscribe', { query: { token } })
