import { defineAsyncComponent } from 'vue'
import { apart } from '@/lib/breathe'
import TimeWindowSkeleton from './TimeWindowSkeleton.vue'

/** For pages whose first sight does not wait for it; made once, so that Back finds it at once. */
export const TimeWindow = defineAsyncComponent({
  loader: apart(() => import('./TimeWindow.vue')),
  loadingComponent: TimeWindowSkeleton,
  delay: 0,
})

export const TimeFields = defineAsyncComponent(() => import('./TimeFields.vue'))
