import { notifyManager, useQueryClient, type Query } from '@tanstack/vue-query'
import { nextTick } from 'vue'
import { reservationKeys } from './reservations'

/**
 * Has bookings asked for again that changed elsewhere; without an id, all of them.
 *
 * The bookings come first, and what hangs on them after that: a ticket that is gone by what happened is not
 * asked for any more then, and would only be refused.
 */
export function useRefreshBookings(): (id?: number) => void {
  const queries = useQueryClient()
  const details = reservationKeys.detail(0).slice(0, -1)
  const isDetail = ({ queryKey }: Query) => queryKey[1] === details[1]
  let changed: { id: number | undefined }[] = []
  let isAsking = false

  async function ask(): Promise<void> {
    while (changed.length > 0) {
      const now = changed
      changed = []
      await Promise.all(
        now.map(({ id }) =>
          queries.invalidateQueries({
            queryKey: id === undefined ? details : reservationKeys.detail(id),
          }),
        ),
      )
      // Pages hear of what came in a turn of their own, and are drawn after it.
      await new Promise<void>((resolve) => notifyManager.schedule(resolve))
      await nextTick()
      await queries.invalidateQueries({
        queryKey: reservationKeys.all,
        predicate: (query) => !isDetail(query),
      })
    }
  }

  return (id) => {
    changed.push({ id })
    // One thing that happens is often told as several: they are asked for together.
    if (isAsking) return
    isAsking = true
    void ask().finally(() => {
      isAsking = false
    })
  }
}
