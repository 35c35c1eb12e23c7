import { AxiosError, AxiosHeaders, CanceledError } from 'axios'
import { describe, expect, it } from 'vitest'
import { ApiError, isApiError, toApiError } from './errors'

function answered(status: number, data: unknown): AxiosError {
  const config = { headers: new AxiosHeaders() }
  return new AxiosError('', '', config, {}, { status, data, config, statusText: '', headers: {} })
}

const slug = (name: string) => ({ type: `/problems/${name}`, title: name, status: 409 })

describe('toApiError', () => {
  it('keeps what the problem says', () => {
    const error = toApiError(
      answered(409, {
        ...slug('spot-taken'),
        detail: 'Bay B08 is taken.',
        request_id: 'r-1',
        alternatives: [{ spot_id: 9 }],
      }),
    ) as ApiError
    expect(error).toMatchObject({
      kind: 'conflict',
      status: 409,
      slug: 'spot-taken',
      message: 'Bay B08 is taken.',
      requestId: 'r-1',
      retryAfter: undefined,
      problem: { alternatives: [{ spot_id: 9 }] },
    })
    expect(isApiError(error)).toBe(true)
    expect(isApiError(error, 'spot-taken')).toBe(true)
    expect(isApiError(error, 'lot-full')).toBe(false)
  })

  it.each([
    [401, slug('unauthenticated'), 'signed-out'],
    [403, slug('forbidden'), 'forbidden'],
    [404, slug('not-found'), 'missing'],
    [409, slug('lot-full'), 'conflict'],
    [412, slug('precondition-failed'), 'conflict'],
    [413, slug('content-too-large'), 'conflict'],
    [422, slug('invalid-code'), 'conflict'],
    [422, { ...slug('invalid-input'), errors: { plate: ['No.'] } }, 'fields'],
    [422, {}, 'unknown'],
    [429, { ...slug('too-many-requests'), retry_after: 30 }, 'slow-down'],
    [400, slug('bad-request'), 'unknown'],
    [500, slug('internal-error'), 'unknown'],
    [502, '<html>', 'network'],
    [503, slug('service-unavailable'), 'network'],
    [504, null, 'network'],
  ])('takes %i %o for %s', (status, data, kind) => {
    expect((toApiError(answered(status, data)) as ApiError).kind).toBe(kind)
  })

  it('says how long to wait', () => {
    const error = toApiError(answered(429, { ...slug('too-many-requests'), retry_after: 30 }))
    expect((error as ApiError).retryAfter).toBe(30)
  })

  it('falls back to the title, and to nothing', () => {
    expect((toApiError(answered(409, slug('lot-full'))) as ApiError).message).toBe('lot-full')
    expect((toApiError(answered(500, 'oops')) as ApiError).message).toBe('')
  })

  it('takes no answer for a fault of the network', () => {
    const error = toApiError(new AxiosError('Network Error')) as ApiError
    expect(error).toMatchObject({ kind: 'network', status: 0, slug: '' })
  })

  it('leaves a cancelled request and a mistake of ours what they are', () => {
    const cancelled = new CanceledError()
    const mistake = new TypeError('x is undefined')
    expect(toApiError(cancelled)).toBe(cancelled)
    expect(toApiError(mistake)).toBe(mistake)
    expect(isApiError(mistake)).toBe(false)
  })
})
