import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Challenge, Registration } from '@/api/auth'
import { kept } from './kept'

/** Wrong codes that end a challenge; the API counts them too, and does not tell. */
const MAX_TRIES = 5

/** A code on its way: what a reload of the page must not lose. It holds no code and no password. */
interface Pending extends Challenge {
  email: string
  wrongTries: number
}

/** What was typed, for those who start again. */
type Draft = Pick<Registration, 'email' | 'name' | 'phone'>

/** A sign-up between its form and the code from the mail. */
export const useSignUp = defineStore('sign-up', () => {
  const pending = kept<Pending | null>(
    'sessionStorage',
    'vv.sign-up',
    (text) => (text ? (JSON.parse(text) as Pending) : null),
    (value) => value && JSON.stringify(value),
  )
  const draft = ref<Draft>()
  const triesLeft = computed(() => MAX_TRIES - (pending.value?.wrongTries ?? 0))
  const isDead = computed(() => triesLeft.value <= 0)

  function start(challenge: Challenge, typed: Draft): void {
    pending.value = { ...challenge, email: typed.email, wrongTries: 0 }
    draft.value = typed
  }

  /** Takes over the times of a code that was sent again; wrong tries stay counted. */
  function renew(times: Partial<Pick<Challenge, 'expires_at' | 'resend_after'>>): void {
    if (pending.value) pending.value = { ...pending.value, ...times }
  }

  function countWrongTry(): void {
    if (!pending.value) return
    pending.value = { ...pending.value, wrongTries: pending.value.wrongTries + 1 }
  }

  function end(): void {
    pending.value = null
    draft.value = undefined
  }

  return { pending, draft, triesLeft, isDead, start, renew, countWrongTry, end }
})
