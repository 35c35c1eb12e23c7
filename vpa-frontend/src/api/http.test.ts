import { HttpResponse, delay, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/lib/errors'
import { refuse, server, useServer } from '@/test/server'
import { call, download, useBearer } from './http'

useServer()

let token: string | undefined
let owner: number | undefined
const renew = vi.fn<() => Promise<string | undefined>>()
const confirm = vi.fn<() => Promise<boolean>>()
const lackFactor = vi.fn<() => void>()

beforeEach(() => {
  token = 'old'
  owner = 1
  for (const remedy of [renew, confirm, lackFactor]) remedy.mockReset()
  useBearer({ token: () => token, owner: () => owner, renew, confirm, lackFactor })
})
afterEach(() => {
  useBearer({
    token: () => undefined,
    owner: () => undefined,
    renew: () => Promise.resolve(undefined),
    confirm: () => Promise.resolve(false),
    lackFactor: () => undefined,
  })
})

const bearerOf = (request: Request) => request.headers.get('authorization')
const page = { items: [], next_cursor: null, total: 0 }

/** Answers to the new token alone. */
function takeOnly(good: string) {
  const seen: (string | null)[] = []
  server.use(
    http.get('*/api/v1/vehicles', ({ request }) => {
      seen.push(bearerOf(request))
      return bearerOf(request) === `Bearer ${good}`
        ? HttpResponse.json(page)
        : refuse(401, 'unauthenticated')
    }),
  )
  return seen
}

describe('somebody else', () => {
  it('who signed in with the same browser is not made to send what was asked for before', async () => {
    const seen = takeOnly('new')
    renew.mockImplementation(() => {
      owner = 2
      token = 'new'
      return Promise.resolve('new')
    })
    await expect(call('get', '/api/v1/vehicles')).rejects.toMatchObject({ kind: 'signed-out' })
    expect(seen).toEqual(['Bearer old'])
  })
})

describe('a request', () => {
  it('carries the token, the query without empty values, and the path made safe', async () => {
    let asked: Request | undefined
    server.use(
      http.get('*/api/v1/lots/:id', ({ request }) => {
        asked = request
        return HttpResponse.json({})
      }),
    )
    await call('get', '/api/v1/lots/{lot_id}', {
      path: { lot_id: '1/2' as never },
      query: { q: undefined, amenity: ['covered', 'video'] } as never,
    })
    const url = new URL(asked?.url ?? '')
    expect(url.pathname).toBe('/api/v1/lots/1%2F2')
    expect(url.search).toBe('?amenity=covered&amenity=video')
    expect(asked && bearerOf(asked)).toBe('Bearer old')
    expect(asked?.headers.has('idempotency-key')).toBe(false)
    expect(asked?.headers.has('x-refresh')).toBe(false)
  })

  it('carries its idempotency key and its body', async () => {
    let asked: Request | undefined
    server.use(
      http.post('*/api/v1/vehicles', ({ request }) => {
        asked = request.clone()
        return HttpResponse.json({}, { status: 201 })
      }),
    )
    await call('post', '/api/v1/vehicles', { body: { plate: 'AB12' }, idempotencyKey: 'k-1' })
    expect(asked?.headers.get('idempotency-key')).toBe('k-1')
    expect(await asked?.json()).toEqual({ plate: 'AB12' })
  })

  it('goes without a token when nobody is signed in, and asks for none', async () => {
    token = undefined
    const seen = takeOnly('new')
    await expect(call('get', '/api/v1/vehicles')).rejects.toMatchObject({ kind: 'signed-out' })
    expect(seen).toEqual([null])
    expect(renew).not.toHaveBeenCalled()
  })

  it('becomes an ApiError when it is refused or not answered', async () => {
    server.use(http.get('*/api/v1/vehicles', () => refuse(403, 'forbidden', 'Not you.')))
    const refusal = await call('get', '/api/v1/vehicles').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ApiError)
    expect(refusal).toMatchObject({ kind: 'forbidden', message: 'Not you.' })
    server.use(http.get('*/api/v1/vehicles', () => HttpResponse.error()))
    await expect(call('get', '/api/v1/vehicles')).rejects.toMatchObject({ kind: 'network' })
  })

  it('can be cancelled, which is no error of the API', async () => {
    server.use(
      http.get('*/api/v1/vehicles', async () => {
        await delay('infinite')
        return HttpResponse.json(page)
      }),
    )
    const stop = new AbortController()
    const asked = call('get', '/api/v1/vehicles', { signal: stop.signal })
    stop.abort()
    const thrown = await asked.catch((error: unknown) => error)
    expect(thrown).not.toBeInstanceOf(ApiError)
  })

  it('brings a file as it is', async () => {
    server.use(http.get('*/api/v1/payments/:id/receipt.pdf', () => HttpResponse.text('%PDF-1.7')))
    const file = await download('/api/v1/payments/{payment_id}/receipt.pdf', {
      path: { payment_id: 3 },
    } as never)
    expect(await new Response(file).text()).toBe('%PDF-1.7')
  })
})

describe('a token that is too old', () => {
  it('is renewed, and the request is sent again', async () => {
    const seen = takeOnly('new')
    renew.mockImplementation(() => Promise.resolve((token = 'new')))
    expect(await call('get', '/api/v1/vehicles')).toEqual(page)
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
    expect(renew).toHaveBeenCalledOnce()
  })

  it('is not renewed again for a request that comes late with it', async () => {
    let answer!: () => void
    const waits = new Promise<void>((resolve) => (answer = resolve))
    const seen: (string | null)[] = []
    server.use(
      http.get('*/api/v1/vehicles', async ({ request }) => {
        seen.push(bearerOf(request))
        if (bearerOf(request) === 'Bearer new') return HttpResponse.json(page)
        await waits
        return refuse(401, 'unauthenticated')
      }),
    )
    const late = call('get', '/api/v1/vehicles')
    // Meanwhile another request was through with the renewal.
    token = 'new'
    answer()
    expect(await late).toEqual(page)
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
    expect(renew).not.toHaveBeenCalled()
  })

  it('ends the request when nobody signs in again', async () => {
    takeOnly('new')
    renew.mockResolvedValue(undefined)
    await expect(call('get', '/api/v1/vehicles')).rejects.toMatchObject({ kind: 'signed-out' })
  })

  it('is tried again once, not for ever', async () => {
    const seen = takeOnly('never')
    renew.mockImplementation(() => Promise.resolve((token = 'new')))
    await expect(call('get', '/api/v1/vehicles')).rejects.toMatchObject({ kind: 'signed-out' })
    expect(seen).toHaveLength(2)
  })

  it('lets the fault of the renewal through', async () => {
    takeOnly('new')
    renew.mockRejectedValue(new ApiError(0, {}))
    await expect(call('get', '/api/v1/vehicles')).rejects.toMatchObject({ kind: 'network' })
  })
})

describe('signing in and renewing', () => {
  it.each(['login', 'refresh', 'register', 'verify-otp'])(
    'send no dead token, ask for the cookie, and are not renewed: %s',
    async (name) => {
      let asked: Request | undefined
      server.use(
        http.post(`*/api/v1/auth/${name}`, ({ request }) => {
          asked = request
          return refuse(401, 'invalid-credentials')
        }),
      )
      const sent = call('post', `/api/v1/auth/${name}` as '/api/v1/auth/refresh', { body: {} })
      await expect(sent).rejects.toMatchObject({ slug: 'invalid-credentials' })
      expect(asked && bearerOf(asked)).toBeNull()
      expect(asked?.headers.get('x-refresh')).toBe('cookie')
      expect(renew).not.toHaveBeenCalled()
    },
  )

  it('signing out needs the token, and renews it if it must', async () => {
    const seen: (string | null)[] = []
    server.use(
      http.post('*/api/v1/auth/logout', ({ request }) => {
        seen.push(bearerOf(request))
        return seen.length === 1
          ? refuse(401, 'unauthenticated')
          : new HttpResponse(null, { status: 204 })
      }),
    )
    renew.mockImplementation(() => Promise.resolve((token = 'new')))
    await call('post', '/api/v1/auth/logout', { body: { everywhere: false } })
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
  })
})

describe('a sensitive act', () => {
  /** Is refused until whoever asks has proven who they are; keeps what came. */
  function guardAct() {
    const bodies: unknown[] = []
    let isFresh = false
    server.use(
      http.post('*/api/v1/me/email', async ({ request }) => {
        bodies.push(await request.json())
        return isFresh
          ? HttpResponse.json({ challenge_id: 'c' }, { status: 202 })
          : refuse(403, 'fresh-sign-in-required', 'Please confirm that it is you.')
      }),
    )
    return { bodies, freshen: () => (isFresh = true) }
  }
  const act = () => call('post', '/api/v1/me/email', { body: { email: 'new@example.org' } })

  it('is sent once more, the same, after whoever asks has proven who they are', async () => {
    const { bodies, freshen } = guardAct()
    confirm.mockImplementation(() => Promise.resolve(freshen()))
    expect(await act()).toEqual({ challenge_id: 'c' })
    expect(bodies).toEqual([{ email: 'new@example.org' }, { email: 'new@example.org' }])
  })

  it('stays refused when they would rather not', async () => {
    const { bodies } = guardAct()
    confirm.mockResolvedValue(false)
    await expect(act()).rejects.toMatchObject({ slug: 'fresh-sign-in-required' })
    expect(bodies).toHaveLength(1)
  })

  it('is tried again once, not for ever', async () => {
    const { bodies } = guardAct()
    confirm.mockResolvedValue(true)
    await expect(act()).rejects.toMatchObject({ slug: 'fresh-sign-in-required' })
    expect([bodies.length, confirm.mock.calls.length]).toEqual([2, 1])
  })

  it('goes on when the token became too old meanwhile', async () => {
    const { bodies, freshen } = guardAct()
    let isOld = false
    server.use(
      http.post('*/api/v1/me/email', ({ request }) => {
        if (isOld && bearerOf(request) === 'Bearer old') return refuse(401, 'unauthenticated')
        return undefined
      }),
    )
    confirm.mockImplementation(() => {
      isOld = true
      return Promise.resolve(freshen())
    })
    renew.mockImplementation(() => Promise.resolve((token = 'new')))
    expect(await act()).toEqual({ challenge_id: 'c' })
    expect(bodies).toHaveLength(2)
  })

  it('is not sent for somebody else who signed in meanwhile', async () => {
    const { bodies } = guardAct()
    confirm.mockImplementation(() => {
      owner = 2
      return Promise.resolve(true)
    })
    await expect(act()).rejects.toMatchObject({ slug: 'fresh-sign-in-required' })
    expect(bodies).toHaveLength(1)
  })

  it('is proven with the token, and a wrong password is no reason for another one', async () => {
    let asked: Request | undefined
    server.use(
      http.post('*/api/v1/auth/confirm', ({ request }) => {
        asked = request
        return refuse(401, 'invalid-credentials')
      }),
    )
    const sent = call('post', '/api/v1/auth/confirm', { body: { password: 'nope' } })
    await expect(sent).rejects.toMatchObject({ slug: 'invalid-credentials' })
    expect(asked && bearerOf(asked)).toBe('Bearer old')
    expect(renew).not.toHaveBeenCalled()
  })
})

it('an admin’s act that lacks a second factor says so, and stays refused', async () => {
  server.use(http.get('*/api/v1/users', () => refuse(403, 'second-factor-required')))
  await expect(call('get', '/api/v1/users')).rejects.toMatchObject({ kind: 'forbidden' })
  expect(lackFactor).toHaveBeenCalledOnce()
  expect(confirm).not.toHaveBeenCalled()
})

it('a new password asks for its refresh token as a cookie, as a sign-in does', async () => {
  let asked: Request | undefined
  server.use(
    http.post('*/api/v1/me/password', ({ request }) => {
      asked = request
      return HttpResponse.json({})
    }),
  )
  const body = { current_password: 'kerb-paint-17', new_password: 'kerb-paint-18' }
  await call('post', '/api/v1/me/password', { body })
  expect(asked?.headers.get('x-refresh')).toBe('cookie')
  expect(asked && bearerOf(asked)).toBe('Bearer old')
})
