import type { Passage } from '@/api/gate'
import type { Reservation } from '@/api/reservations'
import { isApiError, type ApiError } from '@/lib/errors'
import type { ReadTicket } from './offline-ticket'

/** What became of something that was held up to the gate. */
export type Outcome =
  | { kind: 'opened'; passage: Passage }
  | { kind: 'refused'; reason: string; detail: string; about: Refused }
  | { kind: 'due'; about: Refused; dueMinor: number; currency: string }
  | { kind: 'offline'; credential: string; ticket: ReadTicket | null | undefined }
  | { kind: 'failed'; error: unknown }

/** Of whom a refusal speaks, where it knows. */
export interface Refused {
  id: number | undefined
  code: string | undefined
  plate: string | undefined
  startsAt: string | undefined
  endsAt: string | undefined
}

/** Reads a refusal; undefined when the gate decided nothing. */
export function outcomeOf(error: unknown): Outcome | undefined {
  if (!isApiError(error)) return { kind: 'failed', error }
  if (error.kind === 'network') return undefined
  const { problem, slug } = error
  if (slug === 'payment-due') {
    return {
      kind: 'due',
      about: aboutOf(error),
      dueMinor: Number(problem['due_minor']),
      currency: String(problem['currency']),
    }
  }
  if (slug === 'entry-refused' || slug === 'illegal-transition') {
    const reason = textOf(problem['reason']) ?? slug
    return { kind: 'refused', reason, detail: error.message, about: aboutOf(error) }
  }
  return { kind: 'failed', error }
}

function aboutOf({ problem }: ApiError): Refused {
  const id = problem['reservation_id']
  return {
    id: typeof id === 'number' ? id : undefined,
    code: textOf(problem['code']),
    plate: textOf(problem['plate']),
    startsAt: textOf(problem['starts_at']),
    endsAt: textOf(problem['ends_at']),
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** A car inside that owes something, as the list of those inside knows it. */
export const dueOf = (booking: Reservation): Outcome => ({
  kind: 'due',
  about: {
    id: booking.id,
    code: booking.code,
    plate: booking.vehicle.plate,
    startsAt: booking.starts_at,
    endsAt: booking.ends_at,
  },
  dueMinor: booking.due_minor,
  currency: booking.currency,
})
