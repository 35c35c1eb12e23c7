import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useSession } from '@/stores/session'
import { inSetup } from '@/test/in-setup'
import { aSignIn } from '@/test/people'
import { server, useServer } from '@/test/server'
import { useSignOut } from './useSignOut'

const toast = vi.hoisted(() => ({ unexpected: vi.fn() }))
vi.mock('./useToast', () => ({ useToast: () => toast }))

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => {
  toast.unexpected.mockReset()
})

async function signedIn() {
  const opened = await inSetup(useSignOut, '/profile')
  server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn())))
  await useSession().signIn({ email: 'asha@example.com', password: 'kerb-paint-17' })
  return opened
}

it('leads to the sign-in', async () => {
  const { result, router } = await signedIn()
  server.use(http.post('*/auth/logout', () => new HttpResponse(null, { status: 204 })))
  const done = result.signOut()
  expect(result.isBusy.value).toBe(true)
  await done
  expect(router.currentRoute.value.name).toBe('sign-in')
  expect(useSession().isSignedIn).toBe(false)
  expect(result.isBusy.value).toBe(false)
})

it('stays, and says so, when the server does not answer', async () => {
  const { result, router } = await signedIn()
  server.use(http.post('*/auth/logout', () => HttpResponse.error()))
  await result.signOut(true)
  expect(router.currentRoute.value.name).toBe('profile')
  expect(useSession().isSignedIn).toBe(true)
  expect(toast.unexpected).toHaveBeenCalledOnce()
})
