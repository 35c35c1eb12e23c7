import { defineAsyncComponent } from 'vue'
import { apart } from '@/lib/breathe'
import LotListSkeleton from './LotListSkeleton.vue'

/*
 * Parts of the search that come after its frame. They are made here, once for all visits: a page to which
 * Back leads is whole at once, and the reader is where they were.
 */

/** For wide screens. */
export const SearchBar = defineAsyncComponent(() => import('./SearchBar.vue'))

/** For phones, when it is opened. */
export const SearchSheet = defineAsyncComponent(() => import('./SearchSheet.vue'))

/** It comes while the lots are asked for. */
const cards = import('./LotList.vue')
export const LotList = defineAsyncComponent({
  loader: apart(() => cards),
  loadingComponent: LotListSkeleton,
  delay: 0,
})
