import type { Lot } from '@/api/lots'

export type Step = 'details' | 'bays' | 'tariff' | 'open'

/** What a lot needs before drivers can book it, in the order in which it is done. */
export function checklistOf(
  lot: Pick<Lot, 'status' | 'capacity' | 'tariff'>,
): { step: Step; isDone: boolean }[] {
  return [
    { step: 'details', isDone: true },
    { step: 'bays', isDone: lot.capacity > 0 },
    { step: 'tariff', isDone: lot.tariff !== null },
    { step: 'open', isDone: lot.status === 'open' },
  ]
}

/** Whether drivers can book it, as far as it depends on the lot. */
export const isBookable = (lot: Pick<Lot, 'status' | 'capacity' | 'tariff'>): boolean =>
  checklistOf(lot).every(({ isDone }) => isDone)
