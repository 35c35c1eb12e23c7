import { computed, ref, shallowRef, type MaybeRefOrGetter } from 'vue'
import type { Direction } from '@/api/gate'
import { useToast } from '@/composables/useToast'
import { useGateActs, useTicketKeys } from '@/queries/gate'
import { readTicket } from './offline-ticket'
import { outcomeOf, type Outcome } from './outcome'

/** What is done at the gate of a lot, one car after the other. */
export function useGate(lotId: MaybeRefOrGetter<number>) {
  const toast = useToast()
  const acts = useGateActs(lotId)
  const { data: keys } = useTicketKeys()
  const outcome = shallowRef<Outcome>()
  const isBusy = ref(false)
  /** What was shown last, for another try of the same. */
  let shown: { credential: string; direction: Direction | undefined } | undefined

  async function show(credential: string, direction?: Direction): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    shown = { credential, direction }
    try {
      const passage = await acts.scan.mutateAsync({ credential, ...(direction && { direction }) })
      settle({ kind: 'opened', passage })
    } catch (error) {
      settle(outcomeOf(error) ?? (await checkAlone(credential)))
    } finally {
      isBusy.value = false
    }
  }

  async function checkAlone(credential: string): Promise<Outcome> {
    const ticket = credential.startsWith('eyJ')
      ? await readTicket(credential, keys.value ?? [])
      : undefined
    return { kind: 'offline', credential, ticket }
  }

  function settle(reached: Outcome): void {
    outcome.value = reached
    // Felt in the hand: once for a gate that opens, twice for one that does not.
    navigator.vibrate?.(reached.kind === 'opened' ? 60 : [60, 80, 60])
  }

  async function again(): Promise<void> {
    if (shown) await show(shown.credential, shown.direction)
  }

  /** Takes what is due in cash, and opens the exit. */
  async function takeCash(id: number, code: string, key: string): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    try {
      await acts.takeCash.mutateAsync({ id, key })
    } catch (error) {
      void toast.unexpected(error)
      return
    } finally {
      isBusy.value = false
    }
    await show(code, 'out')
  }

  return {
    outcome,
    isBusy: computed(() => isBusy.value || acts.letOut.isPending.value),
    show,
    again,
    takeCash,
    letOut: acts.letOut,
    clear: () => {
      outcome.value = undefined
    },
  }
}
