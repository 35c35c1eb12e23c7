import { defineAsyncComponent } from 'vue'
import { apart } from '@/lib/breathe'
import BookingSkeleton from './BookingSkeleton.vue'

/** It comes along with the frame of the page, and is drawn after it. */
const booking = import('./LotBooking.vue')
export const LotBooking = defineAsyncComponent({
  loader: apart(() => booking),
  loadingComponent: BookingSkeleton,
  delay: 0,
})
