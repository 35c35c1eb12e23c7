import { shallowRef } from 'vue'

/** Whether changes are told as they happen; while they are not, pages ask by themselves. */
export const isStreaming = shallowRef(false)
