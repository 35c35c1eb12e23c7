import { useFormat } from './useFormat'

/** Mon or Monday; 0 is Monday. */
export function useWeekday() {
  const { locale } = useFormat()
  return (index: number, length: 'short' | 'long' = 'short'): string =>
    new Intl.DateTimeFormat(locale.value, { weekday: length, timeZone: 'UTC' }).format(
      // A Monday.
      Date.UTC(2024, 0, 1 + index),
    )
}
