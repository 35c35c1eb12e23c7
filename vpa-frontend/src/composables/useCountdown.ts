import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useNow } from './useNow'

/** What is left until a moment; null while there is none. */
export function useCountdown(until: MaybeRefOrGetter<string | Date | null | undefined>) {
  const now = useNow()
  const secondsLeft = computed(() => {
    const moment = toValue(until)
    if (!moment) return null
    return Math.max(0, Math.ceil((new Date(moment).getTime() - now.value.getTime()) / 1000))
  })
  return {
    secondsLeft,
    isOver: computed(() => secondsLeft.value === 0),
    /** 4:32, or 1:04:32 */
    clock: computed(() => (secondsLeft.value === null ? '' : clockOf(secondsLeft.value))),
  }
}

function clockOf(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`
}
