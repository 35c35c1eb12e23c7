import { onBeforeUnmount, onMounted, shallowRef, type ShallowRef } from 'vue'
import { breathe } from '@/lib/breathe'

let isOpening = true

/** From now on nothing runs for the first time, and pages are drawn whole. */
export function endOpening(): void {
  isOpening = false
}

/**
 * How many parts of a page are drawn, from 0 to `last`: on the page that opens the app the browser has a
 * turn between them. A later one, such as the one that Back leads to, is whole at once.
 */
export function useStages(last: number): Readonly<ShallowRef<number>> {
  const stage = shallowRef(isOpening ? 0 : last)
  let isHere = true
  onMounted(async () => {
    while (isHere && stage.value < last) {
      await breathe()
      stage.value += 1
    }
  })
  onBeforeUnmount(() => {
    isHere = false
  })
  return stage
}
