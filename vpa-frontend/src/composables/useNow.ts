import { onScopeDispose, shallowRef } from 'vue'

const now = shallowRef(new Date())
let users = 0
let ticks: ReturnType<typeof setInterval> | undefined

/** The time, once for the whole page, told each second while somebody looks at it. */
export function useNow() {
  if (users === 0) {
    now.value = new Date()
    ticks = setInterval(() => {
      now.value = new Date()
    }, 1000)
  }
  users += 1
  onScopeDispose(() => {
    users -= 1
    if (users === 0) clearInterval(ticks)
  })
  return now
}
