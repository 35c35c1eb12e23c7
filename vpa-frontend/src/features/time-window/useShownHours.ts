import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useNow } from '@/composables/useNow'
import { toIso } from '@/lib/time'
import type { TimeSpan } from '@/lib/time-span'
import { hoursToShow } from './shown-hours'

/** The hours that `TimeWindow` draws for a stay, and the same as the API is asked for them. */
export function useShownHours(span: MaybeRefOrGetter<TimeSpan>, zone: MaybeRefOrGetter<string>) {
  const now = useNow()
  const shown = computed<TimeSpan>((before) => {
    const next = hoursToShow(toValue(span), toValue(zone), now.value)
    const isSame =
      before?.from.getTime() === next.from.getTime() && before.to.getTime() === next.to.getTime()
    return isSame ? before : next
  })
  return {
    shown,
    shownWindow: computed(() => ({
      starts_at: toIso(shown.value.from),
      ends_at: toIso(shown.value.to),
    })),
  }
}
