import { computed, onBeforeUnmount, shallowRef, watch } from 'vue'

const FIRST = 2
const STEP = 2

/**
 * The beginning of a list, which grows while the page has nothing better to do.
 *
 * A list that is there when its place opens, as on the way back, is shown whole at once, so that the
 * reader's place in it is there too.
 */
export function useGrowing<Item>(list: () => readonly Item[] | undefined) {
  const count = shallowRef(list() ? Number.POSITIVE_INFINITY : FIRST)
  let timer: ReturnType<typeof setTimeout> | undefined

  function grow(): void {
    const whole = list()?.length
    if (whole === undefined || count.value >= whole) return
    count.value += STEP
    wait()
  }
  function wait(): void {
    timer = setTimeout(() => {
      if ('requestIdleCallback' in window) requestIdleCallback(grow, { timeout: 500 })
      else grow()
    })
  }
  watch(
    () => list() !== undefined,
    (isThere) => {
      if (isThere && Number.isFinite(count.value)) wait()
    },
  )
  onBeforeUnmount(() => clearTimeout(timer))

  /** Once the first list is whole, later ones are so at once. */
  watch(
    () => count.value >= (list()?.length ?? Number.POSITIVE_INFINITY),
    (isWhole) => {
      if (isWhole) count.value = Number.POSITIVE_INFINITY
    },
  )
  return computed(() => list()?.slice(0, count.value))
}
