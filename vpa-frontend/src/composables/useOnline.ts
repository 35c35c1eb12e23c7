import { shallowRef } from 'vue'
import { useListener } from './useListener'

/** Whether the browser believes that it has a connection. */
export function useOnline() {
  const isOnline = shallowRef(navigator.onLine)
  useListener(window, ['online', 'offline'], () => {
    isOnline.value = navigator.onLine
  })
  return isOnline
}
