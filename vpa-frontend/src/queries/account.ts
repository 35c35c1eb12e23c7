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

/** What gives somebody another password who forgot theirs. */
export function useResetMutations() {
  return {
    forget: useMutation({ mutationFn: auth.forgetPassword }),
    reset: useMutation({ mutationFn: auth.resetPassword }),
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
