import { computed } from 'vue'
import { useRoute, useRouter, type LocationQuery, type LocationQueryRaw } from 'vue-router'
import { useCursorPages, type ListPlace } from './useCursorPages'

/** The filters and the page of a list, which its address keeps: shown, changed, and turned. */
export function useListFilters<Filters extends ListPlace>(
  read: (query: LocationQuery) => Filters,
  write: (filters: Filters) => LocationQueryRaw,
) {
  const route = useRoute()
  const router = useRouter()
  const filters = computed(() => read(route.query))

  function show(changed: Partial<Filters>, how: 'push' | 'replace' = 'replace') {
    // Other filters are another list, which begins at its beginning.
    return router[how]({ query: write({ ...filters.value, after: '', page: 1, ...changed }) })
  }

  /** One of the filters, for a control's `v-model`. */
  const filter = <Name extends keyof Filters>(name: Name) =>
    computed({
      get: () => filters.value[name],
      set: (chosen) => void show({ [name]: chosen } as unknown as Partial<Filters>),
    })

  const { before, turnTo } = useCursorPages(
    () => filters.value,
    () => JSON.stringify({ ...filters.value, after: '', page: 1 }),
    (place) => show(place as Partial<Filters>, 'push'),
  )

  const isFiltered = computed(
    () => Object.keys(write({ ...filters.value, after: '', page: 1 })).length > 0,
  )

  return { filters, filter, isFiltered, show, before, turnTo }
}
