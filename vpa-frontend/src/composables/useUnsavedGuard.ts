import { ref, watch } from 'vue'
import { onBeforeRouteLeave, onBeforeRouteUpdate, type RouteLocationNormalized } from 'vue-router'
import { useSession } from '@/stores/session'
import { useListener } from './useListener'

/**
 * Asks before a page with unsaved changes is left: by a dialog within the app, by the browser's own
 * question when the tab closes.
 *
 * Show `<UnsavedDialog v-model:open="isAsking" @leave="leave" />` while `isAsking`.
 */
export function useUnsavedGuard(isDirty: () => boolean) {
  const session = useSession()
  const isAsking = ref(false)
  let answer: ((leaves: boolean) => void) | undefined

  function settle(leaves: boolean): void {
    answer?.(leaves)
    answer = undefined
    isAsking.value = false
  }

  function ask(
    to: RouteLocationNormalized,
    from: RouteLocationNormalized,
  ): boolean | Promise<boolean> {
    // Filters and tabs change the query and keep the page; a sign-out cannot be stayed.
    if (to.path === from.path || !session.isSignedIn || !isDirty()) return true
    settle(false)
    isAsking.value = true
    return new Promise((resolve) => {
      answer = resolve
    })
  }

  onBeforeRouteLeave(ask)
  onBeforeRouteUpdate(ask)
  useListener(window, 'beforeunload', (event: BeforeUnloadEvent) => {
    if (isDirty()) event.preventDefault()
  })
  watch(isAsking, (asks) => {
    if (!asks) settle(false)
  })

  return { isAsking, leave: () => settle(true) }
}
