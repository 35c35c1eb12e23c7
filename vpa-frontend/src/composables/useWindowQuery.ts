import { computed } from 'vue'
import { useRoute, useRouter, type LocationQueryValue } from 'vue-router'
import { MINUTE, toIso } from '@/lib/time'
import { bookableSpan, type TimeSpan } from '@/lib/time-span'
import { useNow } from './useNow'

type QueryValue = LocationQueryValue | LocationQueryValue[] | undefined

/** The window in an address, if it holds one: `from` and `to` as instants, in UTC. */
export function readSpan(from: QueryValue, to: QueryValue): TimeSpan | undefined {
  const [start, end] = [readInstant(from), readInstant(to)]
  return start && end && start < end ? { from: start, to: end } : undefined
}

function readInstant(value: QueryValue): Date | undefined {
  // A time without a zone would be read in the browser's.
  if (typeof value !== 'string' || !/T.*(?:Z|[+-]\d\d:\d\d)$/.test(value)) return undefined
  const instant = new Date(value)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}

/**
 * When someone wants to park. It lives in the address, so that it can be shared and Back keeps it;
 * without one it is the usual stay from the next quarter of an hour on, and moves along with the clock.
 */
export function useWindowQuery() {
  const route = useRoute()
  const router = useRouter()
  const now = useNow()

  const minute = computed(() => Math.floor(now.value.getTime() / MINUTE) * MINUTE)
  const span = computed<TimeSpan>((before) => {
    const { from, to } = route.query
    const next = bookableSpan(readSpan(from, to), new Date(minute.value))
    // The same times are the same object: nothing is asked or drawn again each minute.
    const isSame =
      before?.from.getTime() === next.from.getTime() && before.to.getTime() === next.to.getTime()
    return isSame ? before : next
  })
  /** As it stands in the address, for links to other pages. */
  const query = computed(() => ({ from: toIso(span.value.from), to: toIso(span.value.to) }))

  return {
    span,
    query,
    /** As the API takes it. */
    window: computed(() => ({ starts_at: query.value.from, ends_at: query.value.to })),
    /** Times are tried out by the dozen: they replace each other, so that Back leaves the page. */
    async setSpan(next: TimeSpan): Promise<void> {
      await router.replace({
        query: { ...route.query, from: toIso(next.from), to: toIso(next.to) },
      })
    },
  }
}
