import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { listVehicles } from '@/api/vehicles'
import { useSession } from '@/stores/session'
import { given, openPage, settled } from '@/test/page'
import { aSignIn } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import SignInAgain from './SignInAgain.vue'

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => {
  localStorage.clear()
})

const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
const page = { items: [], next_cursor: null, total: 0 }

/** A page whose sign-in ends while it asks for something. */
async function endedMeanwhile() {
  const Page = defineComponent(() => {
    const session = useSession()
    return () => (session.isAskingAgain ? h(SignInAgain) : null)
  })
  await openPage(Page, '/vehicles')
  server.use(
    http.post('*/auth/login', () => HttpResponse.json(aSignIn('old')), { once: true }),
    http.post('*/auth/refresh', () => refuse(401, 'invalid-refresh-token')),
    http.get('*/api/v1/vehicles', ({ request }) =>
      request.headers.get('authorization') === 'Bearer new'
        ? HttpResponse.json(page)
        : refuse(401, 'unauthenticated'),
    ),
  )
  await useSession().signIn({ email: 'asha@example.com', password: 'kerb-paint-17' })
  const answer = listVehicles().catch((error: unknown) => error)
  await settled(() => dialog() !== null)
  return answer
}

async function enter(password: string) {
  const input = dialog()?.querySelector<HTMLInputElement>('[name=password]')
  if (input) input.value = password
  input?.dispatchEvent(new Event('input', { bubbles: true }))
  dialog()
    ?.querySelector('form')
    ?.dispatchEvent(new Event('submit', { cancelable: true }))
  await settled(() => true)
}

describe('SignInAgain', () => {
  it('asks whoever was signed in for the password, and goes on with what was asked', async () => {
    const answer = endedMeanwhile()
    await settled(() => dialog() !== null)
    const email = dialog()?.querySelector<HTMLInputElement>('[autocomplete=username]')
    expect([email?.value, email?.readOnly]).toEqual(['asha@example.com', true])
    const sent: unknown[] = []
    server.use(
      http.post('*/auth/login', async ({ request }) => {
        sent.push(await request.json())
        return HttpResponse.json(aSignIn('new'))
      }),
    )
    await enter('kerb-paint-17')
    expect(await answer).toEqual(page)
    expect(sent).toEqual([{ email: 'asha@example.com', password: 'kerb-paint-17' }])
    await settled(() => dialog() === null)
    expect(dialog()).toBeNull()
  })

  it('says that a password was wrong, and asks on', async () => {
    void endedMeanwhile()
    await settled(() => dialog() !== null)
    server.use(http.post('*/auth/login', () => refuse(401, 'invalid-credentials', 'It is wrong.')))
    await enter('nope')
    await settled(() => dialog()?.querySelector('[role=alert]') != null)
    expect(dialog()?.querySelector('[role=alert]')?.textContent).toContain('It is wrong.')
    expect(useSession().isSignedIn).toBe(true)
    useSession().forget()
  })

  it('asks for the code too where there is a second factor, and then goes on', async () => {
    const answer = endedMeanwhile()
    await settled(() => dialog() !== null)
    const expires_at = new Date(Date.now() + 300_000).toISOString()
    server.use(
      http.post('*/auth/login', () =>
        HttpResponse.json({ challenge_id: 'c-1', expires_at, methods: ['totp'] }),
      ),
      http.post('*/auth/second-factor', async ({ request }) => {
        expect(await request.json()).toEqual({ challenge_id: 'c-1', code: '123456' })
        return HttpResponse.json(aSignIn('new'))
      }),
    )
    await enter('kerb-paint-17')
    const code = () => dialog()?.querySelector<HTMLInputElement>('[name=code]')
    await settled(() => code() != null)
    expect(code()?.autocomplete).toBe('one-time-code')
    const input = given(code())
    input.value = '123456'
    input.dispatchEvent(new Event('input', { bubbles: true }))
    expect(await answer).toEqual(page)
    expect(useSession().isAskingAgain).toBe(false)
  })

  it('signs out whoever would rather not', async () => {
    const answer = endedMeanwhile()
    await settled(() => dialog() !== null)
    const leave = [...document.querySelectorAll('button')].find(
      (button) => button.textContent?.trim() === 'Sign out instead',
    )
    leave?.click()
    expect(await answer).toMatchObject({ kind: 'signed-out' })
    expect([useSession().isSignedIn, useSession().isAskingAgain]).toEqual([false, false])
  })
})
