import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import * as api from '@/api/auth'
import { useBearer } from '@/api/http'
import { isApiError } from '@/lib/errors'
import { usePrefs } from './prefs'

/** Who is signed in. The access token lives in this module's memory and nowhere else. */
export const useSession = defineStore('session', () => {
  const prefs = usePrefs()
  const user = shallowRef<api.User>()
  /** A dialog asks for the password again while the page stays, because the session ended meanwhile. */
  const again = question<string>()
  /** A dialog asks for it before a sensitive act, though somebody is signed in. */
  const confirmation = question<true>()
  /** An admin was refused for want of a second factor. */
  const isFactorLacking = ref(false)
  const isSignedIn = computed(() => user.value !== undefined)
  const isAdmin = computed(() => user.value?.roles.includes('admin') ?? false)
  const isDriver = computed(() => user.value?.roles.includes('driver') ?? false)
  const isAttendant = computed(() => user.value?.roles.includes('attendant') ?? false)

  let token: string | undefined
  let renewal: Promise<string | undefined> | undefined
  let isLeaving = false

  function keep(signIn: api.SignIn): void {
    token = signIn.access_token
    user.value = signIn.user
    prefs.wasSignedIn = true
    again.answer(token)
  }

  function forget(): void {
    token = undefined
    user.value = undefined
    prefs.wasSignedIn = false
    isFactorLacking.value = false
    again.answer()
    confirmation.answer()
  }

  /** Finds out who is signed in, when a page opens and that is not known. */
  async function restore(): Promise<void> {
    if (user.value || !prefs.wasSignedIn) return
    try {
      keep(await api.refresh())
    } catch (error) {
      // Without an answer the cookie may still be good: the next page tries again.
      if (isApiError(error) && error.kind === 'signed-out') forget()
    }
  }

  /** Signs in, or gives the second factor that is due for it. */
  async function signIn(credentials: api.Credentials): Promise<api.SecondFactorDue | undefined> {
    const answer = await api.signIn(credentials)
    if ('challenge_id' in answer) return answer
    keep(answer)
    return undefined
  }

  async function proveFactor(proof: api.SecondFactorProof): Promise<void> {
    keep(await api.proveSecondFactor(proof))
  }

  /** Proves for a while that it is really who is signed in, and lets what waited for it go on. */
  async function confirm(proof: api.IdentityProof): Promise<void> {
    await api.confirmIdentity(proof)
    confirmation.answer(true)
  }

  /** Ends a sign-up: who proves the address is signed in. */
  async function proveAddress(proof: api.CodeProof): Promise<void> {
    keep(await api.verifyCode(proof))
  }

  /** Takes over what the API says of who is signed in. */
  function update(changed: api.User): void {
    user.value = changed
  }

  async function signOut(everywhere = false): Promise<void> {
    isLeaving = true
    try {
      await api.signOut(everywhere)
    } catch (error) {
      // Who is signed out already has what was wished for.
      if (!isApiError(error) || error.kind !== 'signed-out') throw error
    } finally {
      isLeaving = false
    }
    prefs.lastVehicleId = null
    forget()
  }

  /** One renewal at a time; all requests that met a 401 wait for it. */
  function renew(): Promise<string | undefined> {
    renewal ??= renewOnce().finally(() => {
      renewal = undefined
    })
    return renewal
  }

  async function renewOnce(): Promise<string | undefined> {
    try {
      keep(await api.refresh())
      return token
    } catch (error) {
      if (!isApiError(error) || error.kind !== 'signed-out') throw error
    }
    return isLeaving ? undefined : await again.ask()
  }

  useBearer({
    token: () => token,
    owner: () => user.value?.id,
    renew,
    confirm: async () => (await confirmation.ask()) ?? false,
    lackFactor: () => (isFactorLacking.value = true),
  })

  return {
    user,
    isSignedIn,
    isAdmin,
    isDriver,
    isAttendant,
    isAskingAgain: again.isOpen,
    isConfirming: confirmation.isOpen,
    isFactorLacking,
    keep,
    forget,
    restore,
    signIn,
    proveFactor,
    confirm,
    giveUpConfirming: () => confirmation.answer(),
    proveAddress,
    update,
    signOut,
  }
})

/** What a dialog asks on behalf of requests that wait for the answer, all for the same one. */
function question<Answer>() {
  const isOpen = ref(false)
  let asked: Promise<Answer | undefined> | undefined
  let settle: ((answer: Answer | undefined) => void) | undefined

  function ask(): Promise<Answer | undefined> {
    isOpen.value = true
    asked ??= new Promise((resolve) => {
      settle = resolve
    })
    return asked
  }

  function answer(given?: Answer): void {
    isOpen.value = false
    asked = undefined
    settle?.(given)
  }

  return { isOpen, ask, answer }
}
