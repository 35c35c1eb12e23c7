import { ref } from 'vue'

/** Runs an act once at a time: whoever presses again meanwhile presses in vain. */
export function useOnce() {
  const isBusy = ref(false)
  return {
    isBusy,
    async once(act: () => Promise<unknown>): Promise<void> {
      if (isBusy.value) return
      isBusy.value = true
      try {
        await act()
      } finally {
        isBusy.value = false
      }
    },
  }
}
