import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { LOTS_AT_ONCE, type FoundLot } from '@/api/lots'
import { useVehicleQuery } from '@/composables/useVehicleQuery'
import { useWindowQuery } from '@/composables/useWindowQuery'
import { bayWishOf } from '@/lib/offers'
import { useLotSearch } from '@/queries/lots'
import { canCharge, filterOf, isMeasured, readSearch, writeSearch, type Search } from './search'

const PAGE = 20
/** So many cards are still a page; who looks for more had better search. */
const MOST = 500
/** Others book too: what is free is asked again while someone looks. */
const REFETCH_MS = 30_000

/** The search that stands in the address, and what it finds for the list and for the map, once wanted. */
export function useFind(isWanted: () => boolean) {
  const route = useRoute()
  const router = useRouter()
  const time = useWindowQuery()
  const vehicle = useVehicleQuery()

  const search = computed(() => readSearch(route.query))
  const filter = computed(() => filterOf(search.value, vehicle.wish.value))
  const listed = computed(() => ({
    ...filter.value,
    ...time.window.value,
    ...(search.value.sort && { sort: search.value.sort }),
  }))

  // --- the list -------------------------------------------------------------------------------
  /** It stands in the address, so that Back finds the page as long as it was. */
  const count = computed(() => {
    const asked = Math.ceil(Number(route.query['show']) / PAGE) * PAGE
    return Math.min(Math.max(asked || PAGE, PAGE), MOST)
  })
  const found = useLotSearch(listed, count, {
    enabled: () => isWanted() && vehicle.isReady.value,
    refetchInterval: REFETCH_MS,
  })
  const listedLots = computed(() => found.data.value?.items ?? [])
  const isWhole = computed(() => found.data.value?.next_cursor === null)

  const isLoadingMore = ref(false)
  watch([found.data, found.isError], () => {
    isLoadingMore.value = false
  })

  // --- the map --------------------------------------------------------------------------------
  const isMapShown = ref(false)
  const isMapApart = computed(() => !isWhole.value && count.value < LOTS_AT_ONCE)
  const around = useLotSearch(listed, LOTS_AT_ONCE, {
    enabled: () => isMapShown.value && found.data.value !== undefined && isMapApart.value,
    refetchInterval: REFETCH_MS,
  })
  const mapLots = computed(() => {
    if (!isMapApart.value || !around.data.value) return listedLots.value
    const byId = new Map(listedLots.value.map((lot) => [lot.id, lot]))
    return around.data.value.items.map((lot) => byId.get(lot.id) ?? lot)
  })
  const isMapStale = computed(() => {
    const { data, isPlaceholderData } = isMapApart.value ? around : found
    return data.value === undefined || isPlaceholderData.value || found.isPlaceholderData.value
  })

  // --- the lot that is picked, on the map or else as the first that can be booked ----------------
  const pickedId = computed(() => Number(route.query['lot']) || undefined)
  /** What was picked on the map comes first when the list has not got so far. */
  const lots = computed<FoundLot[] | undefined>(() => {
    if (!found.data.value) return undefined
    const picked = mapLots.value.find((lot) => lot.id === pickedId.value)
    const isListed = !picked || listedLots.value.some((lot) => lot.id === picked.id)
    return isListed ? listedLots.value : [picked, ...listedLots.value]
  })
  const selectedId = computed(
    () =>
      lots.value?.find((lot) => lot.id === pickedId.value)?.id ??
      lots.value?.find((lot) => lot.bookable)?.id,
  )

  return {
    time,
    vehicle,
    search,
    filter,
    found,
    lots,
    total: computed(() => found.data.value?.total),
    place: computed(() => found.data.value?.place),
    isWhole,
    isLoadingMore,
    isMapShown,
    mapLots,
    isMapStale,
    selectedId,
    /** Whether distances mean something to who looks. */
    isMeasured: computed(() => isMeasured(search.value, found.data.value?.place?.name)),
    bayWish: computed(() => bayWishOf(vehicle.wish.value, search.value.charging)),
    canCharge: computed(() => canCharge(vehicle.wish.value)),
    /** Another search is another step for Back. */
    async change(to: Partial<Search>): Promise<void> {
      const said = writeSearch({ ...search.value, ...to })
      await router.push({ query: { ...route.query, lot: undefined, show: undefined, ...said } })
    },
    async showMore(): Promise<void> {
      isLoadingMore.value = true
      await router.replace({ query: { ...route.query, show: count.value + PAGE } })
    },
    async select(id: number): Promise<void> {
      await router.replace({ query: { ...route.query, lot: id } })
    },
    /** To a lot, with everything it needs to go on from here. */
    linkTo: (lot: FoundLot) => ({
      name: 'lot' as const,
      params: { id: lot.id },
      query: {
        ...time.query.value,
        vehicle: vehicle.value.value,
        ...(search.value.charging && { kind: 'electric' }),
        ...(search.value.q && { q: search.value.q }),
      },
    }),
  }
}
