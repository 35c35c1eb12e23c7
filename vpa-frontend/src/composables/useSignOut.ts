import { ref } from 'vue'
import { useRouter } from 'vue-router'
import { useSession } from '@/stores/session'
import { useToast } from './useToast'

/** Ends the sign-in, here or everywhere, and leads to the sign-in page. */
export function useSignOut() {
  const session = useSession()
  const router = useRouter()
  const toast = useToast()
  const isBusy = ref(false)

  async function signOut(everywhere = false): Promise<void> {
    isBusy.value = true
    try {
      await session.signOut(everywhere)
      await router.push({ name: 'sign-in' })
    } catch (error) {
      void toast.unexpected(error)
    } finally {
      isBusy.value = false
    }
  }

  return { signOut, isBusy }
}
