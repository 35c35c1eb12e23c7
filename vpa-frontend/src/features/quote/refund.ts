import type { Quote } from '@/api/quotes'
import { HOUR } from '@/lib/time'

export interface RefundTerms {
  /** Until when all of it comes back. */
  freeUntil?: Date
  /** For so many minutes after booking all of it comes back, where it would not anyhow. */
  graceMinutes?: number
  /** What comes back until when, once it is no longer all. */
  part?: { percent: number; until: Date }
}

/** What a driver who books now gets back, from the steps that are still to come. */
export function refundTerms(
  policy: Quote['refund_policy'],
  startsAt: Date | string,
  now: Date,
): RefundTerms {
  const start = new Date(startsAt).getTime()
  const next = policy.steps
    .map(({ percent, until_hours_before: hours }) => ({
      percent,
      until: new Date(start - hours * HOUR),
    }))
    .find(({ until }) => until > now)
  if (next?.percent === 100) return { freeUntil: next.until }
  const hasGrace =
    policy.full_refund_within_minutes > 0 &&
    start - now.getTime() > policy.full_refund_until_hours_before * HOUR
  return {
    ...(hasGrace && { graceMinutes: policy.full_refund_within_minutes }),
    ...(next && next.percent > 0 && { part: next }),
  }
}
