import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { changeEmail } from '@/api/security'
import { useSession } from '@/stores/session'
import { given, openPage, settled } from '@/test/page'
import { aSignIn } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import ConfirmIdentity from './ConfirmIdentity.vue'

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => {
  localStorage.clear()
})

const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
const input = (name: string) => dialog()?.querySelector<HTMLInputElement>(`[name=${name}]`)
const type = (name: string, text: string) => {
  const control = given(input(name))
  control.value = text
  control.dispatchEvent(new Event('input', { bubbles: true }))
}
const submit = () =>
  dialog()
    ?.querySelector('form')
    ?.dispatchEvent(new Event('submit', { cancelable: true }))
const press = (name: string) =>
  given(
    [...document.querySelectorAll('button')].find((each) => each.textContent?.trim() === name),
  ).click()

/** A page on which somebody does what needs a fresh proof. */
async function act(hasFactor: boolean, confirm: (proof: unknown) => Response) {
  const Page = defineComponent(() => {
    const session = useSession()
    return () => (session.isConfirming ? h(ConfirmIdentity) : null)
  })
  await openPage(Page, '/profile/security')
  let isFresh = false
  const sent: unknown[] = []
  const proofs: unknown[] = []
  server.use(
    http.post('*/auth/login', () => HttpResponse.json(aSignIn())),
    http.get('*/api/v1/me/totp', () =>
      HttpResponse.json({
        enabled: hasFactor,
        since: null,
        recovery_codes_left: 0,
        required: false,
      }),
    ),
    http.post('*/api/v1/me/email', async ({ request }) => {
      sent.push(await request.json())
      return isFresh
        ? HttpResponse.json({ challenge_id: 'c' }, { status: 202 })
        : refuse(403, 'fresh-sign-in-required', 'Please confirm that it is you.')
    }),
    http.post('*/auth/confirm', async ({ request }) => {
      const proof = await request.json()
      proofs.push(proof)
      const answer = confirm(proof)
      isFresh = answer.ok
      return answer
    }),
  )
  await useSession().signIn({ email: 'asha@example.com', password: 'kerb-paint-17' })
  const answer = changeEmail('new@example.org').catch((error: unknown) => error)
  await settled(() => input('password') != null)
  return { answer, sent, proofs }
}
const done = () => new HttpResponse(null, { status: 204 })

describe('ConfirmIdentity', () => {
  it('asks for the password, and then the act goes on with all that was typed', async () => {
    const { answer, sent, proofs } = await act(false, done)
    expect(input('code')).toBeNull()
    type('password', 'kerb-paint-17')
    submit()
    expect(await answer).toEqual({ challenge_id: 'c' })
    expect(proofs).toEqual([{ password: 'kerb-paint-17' }])
    expect(sent).toEqual([{ email: 'new@example.org' }, { email: 'new@example.org' }])
    await settled(() => dialog() === null)
    expect(dialog()).toBeNull()
  })

  it('asks for the code too where there is a second factor', async () => {
    const { answer, proofs } = await act(true, done)
    await settled(() => input('code') != null)
    type('password', 'kerb-paint-17')
    type('code', '123456')
    expect(await answer).toEqual({ challenge_id: 'c' })
    expect(proofs).toEqual([{ password: 'kerb-paint-17', code: '123456' }])
  })

  it('takes a recovery code as it was noted', async () => {
    const { answer, proofs } = await act(true, done)
    await settled(() => input('code') != null)
    type('password', 'kerb-paint-17')
    press('Use a recovery code instead')
    await settled(() => input('code')?.inputMode !== 'numeric')
    type('code', ' AB2CD ef3gh')
    submit()
    expect(await answer).toEqual({ challenge_id: 'c' })
    expect(proofs).toEqual([{ password: 'kerb-paint-17', code: 'ab2cd-ef3gh' }])
  })

  it('says at its field what is wrong, and asks on', async () => {
    const { proofs } = await act(true, (proof) =>
      (proof as { password: string }).password === 'nope'
        ? refuse(401, 'invalid-credentials')
        : refuse(422, 'invalid-code'),
    )
    await settled(() => input('code') != null)
    type('password', 'nope')
    type('code', '123456')
    await settled(() => proofs.length === 1)
    await settled(() => dialog()?.textContent?.includes('This is not your password.') ?? false)
    expect(input('password')?.getAttribute('aria-invalid')).toBe('true')
    type('password', 'kerb-paint-17')
    submit()
    await settled(() => dialog()?.textContent?.includes('This is not the code') ?? false)
    expect(dialog()?.textContent).toContain('This is not the code, or it was used already.')
    expect(useSession().isConfirming).toBe(true)
    useSession().giveUpConfirming()
  })

  it('leaves the act undone when it is cancelled', async () => {
    const { answer, sent } = await act(false, done)
    press('Cancel')
    expect(await answer).toMatchObject({ slug: 'fresh-sign-in-required' })
    expect([sent.length, useSession().isConfirming]).toEqual([1, false])
  })
})
