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
  const isAskingAgain = ref(false)
  const isSignedIn = computed(() => user.value !== undefined)
  const isAdmin = computed(() => user.value?.roles.includes('admin') ?? false)
  const isDriver = computed(() => user.value?.roles.includes('driver') ?? false)

  let token: string | undefined
  let renewal: Promise<string | undefined> | undefined
  let answerAskedAgain: ((token: string | undefined) => void) | undefined
  let isLeaving = false

  function keep(signIn: api.SignIn): void {
    token = signIn.access_token
    user.value = signIn.user
    prefs.wasSignedIn = true
    isAskingAgain.value = false
    answerAskedAgain?.(token)
    answerAskedAgain = undefined
  }

  function forget(): void {
    token = undefined
    user.value = undefined
    prefs.wasSignedIn = false
    giveUp()
  }

  /** Whoever was asked to sign in again would rather not. */
  function giveUp(): void {
    isAskingAgain.value = false
    answerAskedAgain?.(undefined)
    answerAskedAgain = undefined
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

  async function signIn(credentials: api.Credentials): Promise<void> {
    keep(await api.signIn(credentials))
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
    if (isLeaving) return undefined
    isAskingAgain.value = true
    return await new Promise((resolve) => {
      answerAskedAgain = resolve
    })
  }

  useBearer({ token: () => token, owner: () => user.value?.id, renew })

  return {
    user,
    isSignedIn,
    isAdmin,
    isDriver,
    isAskingAgain,
    forget,
    restore,
    signIn,
    proveAddress,
    update,
    signOut,
  }
})
