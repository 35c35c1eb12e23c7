import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { useSignUp } from './sign-up'

beforeEach(() => {
  sessionStorage.clear()
  setActivePinia(createPinia())
})

const challenge = {
  challenge_id: 'c-1',
  expires_at: '2026-11-26T14:10:00Z',
  resend_after: '2026-11-26T14:00:30Z',
}
const person = { email: 'asha@example.com', name: 'Asha Rao', phone: '' }

it('outlives a reload with what the code needs, and without the password', async () => {
  useSignUp().start(challenge, person)
  await nextTick()
  expect(sessionStorage.getItem('vv.sign-up')).not.toContain('Asha')
  setActivePinia(createPinia())
  expect(useSignUp().pending).toEqual({ ...challenge, email: person.email, wrongTries: 0 })
  expect(useSignUp().draft).toBeUndefined()
})

it('keeps what was typed for those who start again', () => {
  const signUp = useSignUp()
  signUp.start(challenge, person)
  expect(signUp.draft).toEqual(person)
})

it('counts the wrong tries down, over a code that is sent again, until it is dead', () => {
  const signUp = useSignUp()
  signUp.start(challenge, person)
  signUp.countWrongTry()
  signUp.countWrongTry()
  signUp.renew({ resend_after: '2026-11-26T14:02:00Z' })
  expect(signUp.pending).toMatchObject({
    resend_after: '2026-11-26T14:02:00Z',
    expires_at: challenge.expires_at,
  })
  expect([signUp.triesLeft, signUp.isDead]).toEqual([3, false])
  signUp.countWrongTry()
  signUp.countWrongTry()
  signUp.countWrongTry()
  expect([signUp.triesLeft, signUp.isDead]).toEqual([0, true])
})

it('has nothing to count or renew before it starts and after it ends', async () => {
  const signUp = useSignUp()
  signUp.countWrongTry()
  signUp.renew(challenge)
  expect(signUp.pending).toBeNull()
  signUp.start(challenge, person)
  signUp.end()
  await nextTick()
  expect([signUp.pending, signUp.draft]).toEqual([null, undefined])
  expect(sessionStorage.getItem('vv.sign-up')).toBeNull()
})
