import { defineStore } from 'pinia'
import { kept } from './kept'

export type Theme = 'system' | 'light' | 'dark'

/** What this browser remembers; no token and nothing personal is among it. */
export const usePrefs = defineStore('prefs', () => {
  const theme = kept<Theme>(
    'localStorage',
    'vv.theme',
    (text) => (text === 'light' || text === 'dark' ? text : 'system'),
    String,
  )
  /** Whether asking for a session is worth a request; the session itself is in a cookie. */
  const wasSignedIn = kept('localStorage', 'vv.was-signed-in', (text) => text === 'true', String)
  const lastVehicleId = kept<number | null>(
    'localStorage',
    'vv.vehicle',
    (text) => Number(text) || null,
    (id) => id?.toString() ?? null,
  )
  /** At whose gate this browser stands. */
  const gateLotId = kept<number | null>(
    'localStorage',
    'vv.gate-lot',
    (text) => Number(text) || null,
    (id) => id?.toString() ?? null,
  )
  return { theme, wasSignedIn, lastVehicleId, gateLotId }
})
