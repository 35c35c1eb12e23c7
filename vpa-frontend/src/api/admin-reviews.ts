import { call, type Schema } from './http'
import type { operations } from './schema'

/** A review as admins read it. */
export type ModeratedReview = Schema<'Review'>
export type ModerationQuery = NonNullable<operations['getReviewList']['parameters']['query']>

export const searchReviews = (query: ModerationQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/reviews', { query, signal })

export const moderateReview = (reviewId: number, body: Schema<'ReviewModerate'>) =>
  call('post', '/api/v1/reviews/{review_id}/moderate', { path: { review_id: reviewId }, body })

/** Answers as the operator; null takes the answer back. */
export const replyToReview = (reviewId: number, text: string | null) =>
  call('post', '/api/v1/reviews/{review_id}/reply', {
    path: { review_id: reviewId },
    body: { text },
  })
