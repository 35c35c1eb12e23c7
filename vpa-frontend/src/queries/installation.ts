import { useQuery, useQueryClient, type QueryClient } from '@tanstack/vue-query'
import { computed, effectScope } from 'vue'
import { getInstallation } from '@/api/installation'

const known = new WeakMap<QueryClient, ReturnType<typeof ask>>()

/** What this installation is: its name, currency, zone and ways to pay. It is asked for once. */
export function useInstallation() {
  const client = useQueryClient()
  let found = known.get(client)
  if (!found) {
    // Every price and time on a page needs it: one watcher is enough for all of them.
    found = effectScope(true).run(() => ask(client)) as ReturnType<typeof ask>
    known.set(client, found)
  }
  return found
}

function ask(client: QueryClient) {
  const { data } = useQuery(
    {
      queryKey: ['installation'],
      queryFn: getInstallation,
      staleTime: Number.POSITIVE_INFINITY,
    },
    client,
  )
  return {
    installation: data,
    locale: computed(() => data.value?.locale ?? navigator.language),
    /** Nobody sees the one that stands in; asking the browser for its own takes a while. */
    timezone: computed(() => data.value?.timezone ?? 'UTC'),
  }
}
