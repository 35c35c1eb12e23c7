import { call, type Schema } from './http'

export type Review = Schema<'Review'>

export interface ReviewWords {
  stars: number
  text: string
}

/** What everybody reads. */
export const listReviews = (lotId: number, cursor: string, signal?: AbortSignal) =>
  call('get', '/api/v1/lots/{lot_id}/reviews', {
    path: { lot_id: lotId },
    query: { limit: 10, ...(cursor && { cursor }) },
    signal,
  })

/** The driver's own review of a stay; there is one at most. */
export const findReviewOf = (reservationId: number, signal?: AbortSignal) =>
  call('get', '/api/v1/reviews', { query: { reservation_id: reservationId }, signal })

export const writeReview = (
  lotId: number,
  body: ReviewWords & { reservation_id: number },
  idempotencyKey: string,
) =>
  call('post', '/api/v1/lots/{lot_id}/reviews', {
    path: { lot_id: lotId },
    body,
    idempotencyKey,
  })

export const changeReview = (id: number, body: ReviewWords) =>
  call('patch', '/api/v1/reviews/{review_id}', { path: { review_id: id }, body })

export const deleteReview = (id: number) =>
  call('delete', '/api/v1/reviews/{review_id}', { path: { review_id: id } })
