import { isAxiosError, isCancel } from 'axios'
import type { components } from '@/api/schema'

type Problem = components['schemas']['Problem']

/** What went wrong, in the terms of the screens: each kind is shown in its own way. */
export type ErrorKind =
  | 'fields'
  | 'conflict'
  | 'signed-out'
  | 'forbidden'
  | 'missing'
  | 'slow-down'
  | 'network'
  | 'unknown'

/** An answer of the API that is not the wished one, or no answer at all. */
export class ApiError extends Error {
  readonly kind: ErrorKind
  /** 0 without an answer. */
  readonly status: number
  /** The last part of the problem's type, such as `spot-taken`; empty without an answer. */
  readonly slug: string
  /** Messages by field, as the API names it. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly requestId: string
  /** Seconds to wait before the next try. */
  readonly retryAfter: number | undefined
  /** Everything else that the problem says, such as `alternatives`. */
  readonly problem: Readonly<Record<string, unknown>>

  constructor(status: number, problem: Partial<Problem> & Record<string, unknown>) {
    super(problem.detail || problem.title || '')
    this.name = 'ApiError'
    this.status = status
    this.slug = problem.type?.split('/').pop() ?? ''
    this.fields = problem.errors ?? {}
    this.requestId = problem.request_id ?? ''
    this.retryAfter = problem.retry_after
    this.problem = problem
    this.kind = kindOf(status, this.slug, this.fields)
  }
}

/** Whatever was thrown, as an `ApiError`; a cancelled request stays what it is. */
export function toApiError(thrown: unknown): unknown {
  if (isCancel(thrown) || !isAxiosError(thrown)) return thrown
  const { response } = thrown
  if (!response) return new ApiError(0, {})
  const problem: unknown = response.data
  return new ApiError(response.status, isRecord(problem) ? problem : {})
}

export function isApiError(thrown: unknown, slug?: string): thrown is ApiError {
  return thrown instanceof ApiError && (slug === undefined || thrown.slug === slug)
}

function kindOf(
  status: number,
  slug: string,
  fields: Readonly<Record<string, unknown>>,
): ErrorKind {
  if (status === 0 || status === 502 || status === 503 || status === 504) return 'network'
  if (status === 401) return 'signed-out'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'missing'
  if (status === 429) return 'slow-down'
  if (status === 422 && Object.keys(fields).length > 0) return 'fields'
  // A wrong code, a broken file, a thing changed meanwhile: understood, and refused with a reason.
  if (status === 409 || (slug && [412, 413, 422].includes(status))) return 'conflict'
  return 'unknown'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
