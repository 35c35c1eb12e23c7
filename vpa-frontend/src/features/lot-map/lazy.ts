import { defineAsyncComponent } from 'vue'
import { withWords } from '@/i18n'
import { apart } from '@/lib/breathe'
import MapFailed from './MapFailed.vue'

/** The map, or a word that it did not come: the list has everything, so that it is not worth the page. */
export const LotMap = defineAsyncComponent(
  apart(() =>
    withWords(() => import('./LotMap.vue'), 'map')().catch(() => ({ default: MapFailed as never })),
  ),
)
