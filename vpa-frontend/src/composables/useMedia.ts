import { onScopeDispose, readonly, shallowRef } from 'vue'

/** Whether a media query holds, now and whenever that changes. */
export function useMedia(query: string) {
  const media = matchMedia(query)
  const holds = shallowRef(media.matches)
  const follow = () => {
    holds.value = media.matches
  }
  media.addEventListener('change', follow)
  onScopeDispose(() => media.removeEventListener('change', follow), true)
  return readonly(holds)
}
