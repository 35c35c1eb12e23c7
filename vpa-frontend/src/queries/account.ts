import { useMutation } from '@tanstack/vue-query'
import * as auth from '@/api/auth'
import { changeProfile } from '@/api/me'
import { useSession } from '@/stores/session'

/** What makes a user. */
export function useSignUpMutations() {
  return {
    register: useMutation({ mutationFn: auth.register }),
    resend: useMutation({ mutationFn: auth.resendCode }),
  }
}

/** Changes the profile of who is signed in. */
export function useProfileMutation() {
  const session = useSession()
  return useMutation({
    mutationFn: changeProfile,
    onSuccess: (user) => session.update(user),
  })
}
