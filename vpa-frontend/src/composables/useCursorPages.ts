import { computed, reactive, watch } from 'vue'

/** A page of a list that comes in pages: its number, and where the one before ended. */
export interface ListPlace {
  page: number
  /** Empty for the first page. */
  after: string
}

/**
 * Leads through the pages of a list whose address keeps the place; `filters` is another text when the
 * list is another one.
 */
export function useCursorPages(
  place: () => ListPlace,
  filters: () => string,
  show: (place: ListPlace) => Promise<unknown>,
) {
  /** Where the pages of this list began that were looked at on the way here. */
  const begins = reactive(new Map<number, string>())
  watch(filters, () => begins.clear())

  const before = computed<ListPlace | undefined>(() => {
    const page = place().page - 1
    if (page < 1) return undefined
    const after = page === 1 ? '' : begins.get(page)
    // Whoever came by a link knows no page between; the first one is always there.
    return after === undefined ? { page: 1, after: '' } : { page, after }
  })

  async function turnTo(next: ListPlace): Promise<void> {
    const { page, after } = place()
    begins.set(page, after)
    await show(next)
    window.scrollTo({ top: 0 })
  }

  return { before, turnTo }
}
