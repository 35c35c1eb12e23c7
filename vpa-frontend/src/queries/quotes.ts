import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/quotes'

export const quoteKeys = {
  all: ['quotes'] as const,
  of: (wish: api.QuoteCreate) => [...quoteKeys.all, wish] as const,
}

/** A price is asked for anew so long before it expires. */
const MARGIN_MS = 30_000
const timeLeft = (quote: api.Quote) => Date.parse(quote.expires_at) - Date.now()

/**
 * What a stay costs; asked again before the price expires. Without a wish nothing is asked.
 *
 * While another wish is priced, the price before it stays, and `isPlaceholderData` says so.
 */
export function useQuote(wish: MaybeRefOrGetter<api.QuoteCreate | undefined>) {
  const queries = useQueryClient()
  const ask = (wished: api.QuoteCreate, signal: AbortSignal) => api.makeQuote(wished, signal)

  const query = useQuery({
    queryKey: computed(() => {
      const wished = toValue(wish)
      return wished ? quoteKeys.of(wished) : quoteKeys.all
    }),
    queryFn: ({ signal }) => ask(toValue(wish) as api.QuoteCreate, signal),
    enabled: () => toValue(wish) !== undefined,
    staleTime: 0,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data ? Math.max(timeLeft(state.data) - MARGIN_MS, 5_000) : false,
  })

  /** A price to book by: the one that is known while it lasts, else a new one. */
  function price(wished: api.QuoteCreate, isNew = false): Promise<api.Quote> {
    const queryKey = quoteKeys.of(wished)
    const known = queries.getQueryData<api.Quote>(queryKey)
    if (known && !isNew && timeLeft(known) > MARGIN_MS / 3) return Promise.resolve(known)
    return queries.fetchQuery({
      queryKey,
      queryFn: ({ signal }) => ask(wished, signal),
      staleTime: 0,
    })
  }

  return { ...query, price }
}
