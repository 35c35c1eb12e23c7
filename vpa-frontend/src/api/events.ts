import { call } from './http'

/** What opens one stream of live events, once and within a minute. */
export const makeTicket = () => call('post', '/api/v1/events/ticket', { body: {} })
