import { ref, watch, type Ref } from 'vue'

/**
 * A value in the browser's storage, the same in all pages that share it; without one, in this page alone.
 *
 * `write` gives null for what need not be kept.
 */
export function kept<Value>(
  storage: 'localStorage' | 'sessionStorage',
  key: string,
  read: (text: string | null) => Value,
  write: (value: Value) => string | null,
): Ref<Value> {
  const value = ref(read(load(storage, key))) as Ref<Value>
  watch(value, (changed) => save(storage, key, write(changed)), { flush: 'sync' })
  window.addEventListener('storage', ({ storageArea, key: changed, newValue }) => {
    if (storageArea === window[storage] && (changed === key || changed === null)) {
      value.value = read(newValue)
    }
  })
  return value
}

/** Without a storage there is nothing in it. */
export function load(storage: 'localStorage' | 'sessionStorage', key: string): string | null {
  try {
    return window[storage].getItem(key)
  } catch {
    return null
  }
}

/** Keeps a text, or with null forgets it, where there is a storage. */
export function save(
  storage: 'localStorage' | 'sessionStorage',
  key: string,
  text: string | null,
): void {
  try {
    if (text === null) window[storage].removeItem(key)
    else window[storage].setItem(key, text)
  } catch {
    // Full or forbidden: what is not remembered is asked again.
  }
}
