import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { homeOf, safeNext } from '@/router/guards'
import { useSession } from '@/stores/session'

/** Where somebody wanted to go before the sign-in, carried from page to page of it. */
export function useArrival() {
  const route = useRoute()
  const router = useRouter()
  const session = useSession()
  const next = computed(() => safeNext(route.query['next']))
  return {
    /** The query of a link to another page of the sign-in. */
    carried: computed(() => (next.value ? { next: next.value } : {})),
    /** Goes there, or home. */
    arrive: () => router.replace(next.value ?? homeOf(session)),
  }
}
