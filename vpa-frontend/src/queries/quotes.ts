import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/quotes'
import { MINUTE } from '@/lib/time'
import { useInstallation } from './installation'

export const quoteKeys = {
  all: ['quotes'] as const,
  of: (wish: api.QuoteCreate) => [...quoteKeys.all, wish] as const,
}

/** A price is asked for anew so long before it expires. */
const MARGIN_MS = 30_000

/**
 * What a stay costs; asked again before the price expires. Without a wish nothing is asked.
 *
 * While another wish is priced, the price before it stays, and `isPlaceholderData` says so.
 */
export function useQuote(wish: MaybeRefOrGetter<api.QuoteCreate | undefined>) {
  const queries = useQueryClient()
  const { installation } = useInstallation()
  /** Counted from its arrival: the clock of this device may be ahead of the server's. */
  const timeLeft = (receivedAt: number) =>
    receivedAt + (installation.value?.quote_minutes ?? 10) * MINUTE - Date.now()

  const query = useQuery({
    queryKey: computed(() => {
      const wished = toValue(wish)
      return wished ? quoteKeys.of(wished) : quoteKeys.all
    }),
    queryFn: ({ signal }) => api.makeQuote(toValue(wish) as api.QuoteCreate, signal),
    enabled: () => toValue(wish) !== undefined,
    staleTime: MARGIN_MS,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data ? Math.max(timeLeft(state.dataUpdatedAt) - MARGIN_MS, 5_000) : false,
  })

  /** A price to book by: the one that is known while it lasts, else a new one. */
  async function price(wished: api.QuoteCreate, isNew = false): Promise<api.Quote> {
    const queryKey = quoteKeys.of(wished)
    const known = queries.getQueryState<api.Quote>(queryKey)
    if (known?.data && !isNew && timeLeft(known.dataUpdatedAt) > MARGIN_MS / 3) return known.data
    // A request of its own: that of the query is given up as soon as the page shows another wish.
    const quote = await api.makeQuote(wished)
    queries.setQueryData(queryKey, quote)
    return quote
  }

  return { ...query, price }
}
