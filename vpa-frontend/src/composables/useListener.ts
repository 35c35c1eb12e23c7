import { toValue, watch, type MaybeRefOrGetter } from 'vue'

/** Listens to what happens at a target for as long as it, and the component, are there. */
export function useListener<Happening extends Event>(
  target: MaybeRefOrGetter<EventTarget | null | undefined>,
  names: string | readonly string[],
  listener: (event: Happening) => void,
): void {
  watch(
    () => toValue(target),
    (there, _, onCleanup) => {
      if (!there) return
      const each = typeof names === 'string' ? [names] : names
      for (const name of each) there.addEventListener(name, listener as EventListener)
      onCleanup(() => {
        for (const name of each) there.removeEventListener(name, listener as EventListener)
      })
    },
    { immediate: true, flush: 'post' },
  )
}
