import type { SpotState } from '@/api/lots'

/** A free bay by the upper wall, unless told otherwise. */
export function aBay(change: Partial<SpotState> = {}): SpotState {
  const state = change.state ?? 'free'
  return {
    id: 1,
    label: 'A01',
    level: '0',
    kind: 'standard',
    x: 1.25,
    y: 2.5,
    rotation: 0,
    available: state === 'free',
    state,
    reservation: null,
    ...change,
  }
}
