import { ref } from 'vue'

const polite = ref('')

/** What screen readers hear: pages by their title, and what changed without a move of the focus. */
export function useAnnouncer() {
  return {
    polite,
    announce(text: string): void {
      // A repeated sentence is only heard when the region changes.
      polite.value = polite.value === text ? `${text}\u00a0` : text
    },
  }
}
