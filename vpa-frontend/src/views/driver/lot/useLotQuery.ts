import { computed, ref, watch } from 'vue'
import { onBeforeRouteLeave, onBeforeRouteUpdate, useRoute, useRouter } from 'vue-router'
import type { LocationQueryRaw, RouteLocationNormalized } from 'vue-router'
import type { SpotKind } from '@/api/lots'

export const STEPS = ['time', 'bay', 'pay'] as const
export type LotStep = (typeof STEPS)[number]

const KINDS: readonly SpotKind[] = [
  'standard',
  'compact',
  'large',
  'accessible',
  'electric',
  'motorcycle',
]

const readId = (value: unknown) => {
  const id = Number(value)
  return Number.isSafeInteger(id) && id > 0 ? id : undefined
}

/**
 * What the address of a lot's page holds beside time and vehicle: the kind of bay, the bay that was picked,
 * the hold that is being paid, and on phones the step.
 */
export function useLotQuery({ onLeave }: { onLeave: (to: RouteLocationNormalized) => void }) {
  const route = useRoute()
  const router = useRouter()

  // One change after the other: each starts from the address that the one before has made.
  let last: Promise<unknown> = Promise.resolve()
  const isLeaving = ref(false)
  function inTurn(change: () => Promise<unknown>): Promise<void> {
    const turn = last.then(() => (isLeaving.value ? undefined : change())).then(() => undefined)
    last = turn.catch(() => undefined)
    return turn
  }
  const set = (values: LocationQueryRaw) =>
    inTurn(() => router.replace({ query: { ...route.query, ...values } }))

  const leave = (to: RouteLocationNormalized) => {
    isLeaving.value = true
    onLeave(to)
  }
  onBeforeRouteLeave(leave)
  onBeforeRouteUpdate((to, from) => {
    if (to.params['id'] !== from.params['id']) leave(to)
  })

  const holdId = ref(readId(route.query['hold']))
  /** Holds that are over for this page; Back may lead to an address that still names one. */
  const past = new Set<number>()
  watch(holdId, (id, before) => {
    if (before !== undefined) past.add(before)
    void set({ hold: id, ...(id !== undefined && { bay: undefined }) })
  })
  watch(
    () => readId(route.query['hold']),
    (id) => {
      if (isLeaving.value || id === holdId.value) return
      if (holdId.value === undefined && id !== undefined && !past.has(id)) holdId.value = id
      else void set({ hold: holdId.value })
    },
  )

  return {
    isLeaving,
    /** Whether the address has these values. */
    has: (values: Record<string, string>) =>
      Object.entries(values).every(([name, value]) => route.query[name] === value),
    set,
    inTurn,
    holdId,
    bayId: computed(() => readId(route.query['bay'])),
    kind: computed(() => KINDS.find((kind) => kind === route.query['kind'])),
    step: computed(() => STEPS.find((step) => step === route.query['step']) ?? 'bay'),
    /** A step is a page of its own for Back. */
    go: (step: LotStep) =>
      inTurn(async () => {
        if (route.query['step'] !== step) await router.push({ query: { ...route.query, step } })
      }),
    /** To the lists of lots, as they were looked for. */
    toFind: computed(() => ({
      name: 'find' as const,
      query: { ...route.query, bay: undefined, hold: undefined, step: undefined },
    })),
  }
}
