import { call } from './http'

/** Cancels for the operator: whoever paid gets all of it back. */
export const cancelByOperator = (id: number, idempotencyKey: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/cancel', {
    path: { reservation_id: id },
    body: {},
    idempotencyKey,
  })

export const letIn = (id: number) =>
  call('post', '/api/v1/reservations/{reservation_id}/check-in', { path: { reservation_id: id } })

/** Ends a stay; with a reason also when something is due, which stays a debt of the driver. */
export const letOut = (id: number, reason?: string) =>
  call('post', '/api/v1/reservations/{reservation_id}/check-out', {
    path: { reservation_id: id },
    body: reason ? { let_out_reason: reason } : {},
  })
