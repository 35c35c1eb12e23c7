import { useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose } from 'vue'
import { makeTicket } from '@/api/events'
import { isStreaming } from '@/lib/streaming'
import { useRefreshBookings } from '@/queries/live'
import { notificationKeys } from '@/queries/notifications'

const FIRST_PAUSE = 2_000
const LONGEST_PAUSE = 60_000

/** Hears what the server tells of whoever is signed in, and has what changed asked for again. */
export function useLiveEvents(): void {
  // Where a browser has no such streams, pages go on asking by themselves.
  if (typeof EventSource === 'undefined') return

  const queries = useQueryClient()
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let pause = FIRST_PAUSE
  let last = ''
  let isOver = false

  const refreshBookings = useRefreshBookings()
  const refreshNotifications = () =>
    void queries.invalidateQueries({ queryKey: notificationKeys.all })
  const refreshAll = () => {
    refreshNotifications()
    refreshBookings()
  }
  const hears = (listener: (data: string) => void) => (event: MessageEvent<string>) => {
    last = event.lastEventId || last
    listener(event.data)
  }

  async function open(): Promise<void> {
    try {
      const { url, ticket } = await makeTicket()
      if (!isOver) listen(url, ticket)
    } catch {
      openLater()
    }
  }

  function listen(url: string, ticket: string): void {
    const query = new URLSearchParams({ ticket, ...(last && { last_event_id: last }) })
    source = new EventSource(`${url}?${query.toString()}`)
    source.addEventListener('open', () => {
      isStreaming.value = true
      pause = FIRST_PAUSE
      // What happened before the first event that was heard is not told again.
      if (!last) refreshAll()
    })
    source.addEventListener('notification', hears(refreshNotifications))
    source.addEventListener(
      'reservation',
      hears((data) => refreshBookings((JSON.parse(data) as { id: number }).id)),
    )
    source.addEventListener('resync', () => {
      last = ''
      refreshAll()
    })
    // The browser would try the same ticket again, which is good once.
    source.addEventListener('error', () => {
      close()
      openLater()
    })
  }

  function openLater(): void {
    if (isOver) return
    // Not all at once, when a server that all had streams to is back.
    timer = setTimeout(() => void open(), pause * (0.5 + Math.random()))
    pause = Math.min(2 * pause, LONGEST_PAUSE)
  }

  function close(): void {
    source?.close()
    source = undefined
    isStreaming.value = false
  }

  void open()
  onScopeDispose(() => {
    isOver = true
    clearTimeout(timer)
    close()
  })
}
