import { HttpResponse, http } from 'msw'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { listVehicles } from '@/api/vehicles'
import { aSignIn, aUser } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import { usePrefs } from './prefs'
import { useSession } from './session'

useServer()

beforeEach(() => {
  localStorage.clear()
  setActivePinia(createPinia())
})

const credentials = { email: 'asha@example.com', password: 'kerb-paint-17' }
const page = { items: [], next_cursor: null, total: 0 }

/** Signs in with a token that the API has stopped taking since. */
async function signedInWithAnOldToken() {
  const session = useSession()
  server.use(
    http.post('*/auth/login', () => HttpResponse.json(aSignIn('old'))),
    http.get('*/api/v1/vehicles', ({ request }) =>
      request.headers.get('authorization') === 'Bearer new'
        ? HttpResponse.json(page)
        : refuse(401, 'unauthenticated'),
    ),
  )
  await session.signIn(credentials)
  return session
}

/** Counts how often the token is renewed, each time by this answer. */
function renewBy(answer: () => Response | Promise<Response>) {
  const counted = { times: 0 }
  server.use(
    http.post('*/auth/refresh', () => {
      counted.times += 1
      return answer()
    }),
  )
  return counted
}

describe('signing in', () => {
  it('tells who it is, and remembers only that somebody was signed in', async () => {
    const session = useSession()
    server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn('secret-token'))))
    expect([session.isSignedIn, session.isDriver, session.isAdmin]).toEqual([false, false, false])
    await session.signIn(credentials)
    expect(session.user).toEqual(aUser())
    expect([session.isSignedIn, session.isDriver, session.isAdmin]).toEqual([true, true, false])
    expect(usePrefs().wasSignedIn).toBe(true)
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('secret-token')
  })

  it('by the code of a sign-up does the same', async () => {
    const session = useSession()
    const admin = aUser({ roles: ['admin'] })
    server.use(http.post('*/auth/verify-otp', () => HttpResponse.json(aSignIn('token', admin))))
    await session.proveAddress({ challenge_id: 'c', code: '123456' })
    expect([session.isAdmin, session.isDriver]).toEqual([true, false])
  })

  it('changes nothing when it is refused', async () => {
    const session = useSession()
    server.use(http.post('*/auth/login', () => refuse(401, 'invalid-credentials')))
    await expect(session.signIn(credentials)).rejects.toMatchObject({ slug: 'invalid-credentials' })
    expect([session.isSignedIn, session.isAskingAgain]).toEqual([false, false])
  })

  it('lets the profile be taken over after a change', async () => {
    const session = useSession()
    session.update(aUser({ name: 'Asha R.' }))
    expect(session.user?.name).toBe('Asha R.')
  })
})

describe('a sign-in with a second factor', () => {
  const due = { challenge_id: 'c-1', expires_at: '2026-11-26T18:05:00Z', methods: ['totp'] }

  it('is none before the code was right', async () => {
    const session = useSession()
    const sent: unknown[] = []
    server.use(
      http.post('*/auth/login', () => HttpResponse.json(due)),
      http.post('*/auth/second-factor', async ({ request }) => {
        sent.push(await request.json())
        return sent.length === 1 ? refuse(422, 'invalid-code') : HttpResponse.json(aSignIn())
      }),
    )
    expect(await session.signIn(credentials)).toEqual(due)
    expect([session.isSignedIn, usePrefs().wasSignedIn]).toEqual([false, false])
    const wrong = { challenge_id: 'c-1', code: '000000' }
    await expect(session.proveFactor(wrong)).rejects.toMatchObject({ slug: 'invalid-code' })
    expect(session.isSignedIn).toBe(false)
    await session.proveFactor({ challenge_id: 'c-1', code: '123456' })
    expect(session.isSignedIn).toBe(true)
    expect(sent).toEqual([wrong, { challenge_id: 'c-1', code: '123456' }])
  })
})

describe('opening the app again', () => {
  it('does not ask who is signed in when nobody was', async () => {
    await useSession().restore()
    expect(useSession().isSignedIn).toBe(false)
  })

  it('finds the sign-in by the cookie, once', async () => {
    const asked = renewBy(() => HttpResponse.json(aSignIn()))
    usePrefs().wasSignedIn = true
    const session = useSession()
    await session.restore()
    await session.restore()
    expect(session.user?.name).toBe('Asha Rao')
    expect(asked.times).toBe(1)
  })

  it('finds that it is over, and does not ask again', async () => {
    const asked = renewBy(() => refuse(401, 'invalid-refresh-token'))
    usePrefs().wasSignedIn = true
    const session = useSession()
    await session.restore()
    await session.restore()
    expect([session.isSignedIn, usePrefs().wasSignedIn, asked.times]).toEqual([false, false, 1])
  })

  it('tries again later when the server did not answer', async () => {
    renewBy(() => HttpResponse.error())
    usePrefs().wasSignedIn = true
    const session = useSession()
    await session.restore()
    expect([session.isSignedIn, usePrefs().wasSignedIn]).toEqual([false, true])
    renewBy(() => HttpResponse.json(aSignIn()))
    await session.restore()
    expect(session.isSignedIn).toBe(true)
  })
})

describe('a token that is too old', () => {
  it('is renewed once for all requests that met it, and each is sent again', async () => {
    await signedInWithAnOldToken()
    const renewed = renewBy(() => HttpResponse.json(aSignIn('new')))
    const answers = await Promise.all(Array.from({ length: 8 }, () => listVehicles()))
    expect(answers).toEqual(Array.from({ length: 8 }, () => page))
    expect(renewed.times).toBe(1)
  })

  it('is renewed again when the next one is too old as well', async () => {
    await signedInWithAnOldToken()
    const renewed = renewBy(() => HttpResponse.json(aSignIn('older still')))
    await expect(listVehicles()).rejects.toMatchObject({ kind: 'signed-out' })
    await expect(listVehicles()).rejects.toMatchObject({ kind: 'signed-out' })
    expect(renewed.times).toBe(2)
  })

  it('leaves the sign-in alone when the server does not answer', async () => {
    const session = await signedInWithAnOldToken()
    renewBy(() => HttpResponse.error())
    await expect(listVehicles()).rejects.toMatchObject({ kind: 'network' })
    expect([session.isSignedIn, session.isAskingAgain]).toEqual([true, false])
  })
})

describe('a sign-in that has ended', () => {
  async function endedSignIn() {
    const session = await signedInWithAnOldToken()
    const renewed = renewBy(() => refuse(401, 'invalid-refresh-token'))
    const requests = [listVehicles(), listVehicles()].map((request) =>
      request.catch((error: unknown) => error),
    )
    await expect.poll(() => session.isAskingAgain).toBe(true)
    return { session, requests, renewed }
  }

  it('asks for the password while the page stays, and then goes on with what was asked', async () => {
    const { session, requests, renewed } = await endedSignIn()
    expect(session.isSignedIn).toBe(true)
    server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn('new'))))
    await session.signIn(credentials)
    expect(await Promise.all(requests)).toEqual([page, page])
    expect([session.isAskingAgain, renewed.times]).toEqual([false, 1])
  })

  it('asks on after a wrong password', async () => {
    const { session, requests } = await endedSignIn()
    server.use(http.post('*/auth/login', () => refuse(401, 'invalid-credentials')))
    await expect(session.signIn(credentials)).rejects.toThrow()
    expect(session.isAskingAgain).toBe(true)
    session.forget()
    await Promise.all(requests)
  })

  it('refuses what was asked when one would rather not', async () => {
    const { session, requests } = await endedSignIn()
    session.forget()
    expect(await Promise.all(requests)).toEqual([
      expect.objectContaining({ kind: 'signed-out' }),
      expect.objectContaining({ kind: 'signed-out' }),
    ])
    expect([session.isSignedIn, session.isAskingAgain]).toEqual([false, false])
  })
})

describe('signing out', () => {
  it('tells the API whether everywhere, and forgets the person', async () => {
    const session = await signedInWithAnOldToken()
    usePrefs().lastVehicleId = 4
    let sent: unknown
    server.use(
      http.post('*/auth/logout', async ({ request }) => {
        sent = await request.json()
        return new HttpResponse(null, { status: 204 })
      }),
    )
    await session.signOut(true)
    expect(sent).toEqual({ everywhere: true })
    expect([session.isSignedIn, usePrefs().wasSignedIn, usePrefs().lastVehicleId]).toEqual([
      false,
      false,
      null,
    ])
  })

  it('is done without a question when the sign-in has ended already', async () => {
    const session = await signedInWithAnOldToken()
    server.use(http.post('*/auth/logout', () => refuse(401, 'unauthenticated')))
    renewBy(() => refuse(401, 'invalid-refresh-token'))
    await session.signOut()
    expect([session.isSignedIn, session.isAskingAgain]).toEqual([false, false])
  })

  it('is not done when the server does not answer, so that nobody believes it', async () => {
    const session = await signedInWithAnOldToken()
    server.use(http.post('*/auth/logout', () => HttpResponse.error()))
    await expect(session.signOut()).rejects.toMatchObject({ kind: 'network' })
    expect(session.isSignedIn).toBe(true)
  })
})
