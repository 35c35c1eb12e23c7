import { QueryClient } from '@tanstack/vue-query'
import { isApiError } from '@/lib/errors'

/** Reads are tried again when the network or the server failed, never when the answer was clear. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) =>
        failures < 2 && (!isApiError(error) || error.status === 0 || error.status >= 500),
      retryDelay: (failures) => 500 * 2 ** failures,
    },
    mutations: { retry: false },
  },
})
