import { watch } from 'vue'

/**
 * The idempotency key of a wish: the same one for each try of the same values, so that a try whose answer
 * was lost is not done twice; another one when the values change after a try.
 */
export function useWishKey(wish: () => unknown) {
  let key = crypto.randomUUID()
  let wasTried = false
  watch(
    wish,
    () => {
      if (!wasTried) return
      key = crypto.randomUUID()
      wasTried = false
    },
    { deep: true, flush: 'sync' },
  )
  return {
    /** The key for a try that starts now. */
    take(): string {
      wasTried = true
      return key
    },
  }
}
