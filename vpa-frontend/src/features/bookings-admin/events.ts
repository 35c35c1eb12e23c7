import i18next from 'i18next'
import type { StayEvent } from '@/api/stays'

/** Ways to write what an event tells, as the reader writes it. */
interface Writers {
  money: (minor: number, currency: string) => string
  moment: (at: string) => string
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

/** The kind of an event in words; one that has none as the log writes it. */
export function sayKind(kind: string): string {
  return i18next.t(`desk:event.${kind}` as 'desk:event.booked', {
    defaultValue: kind.replaceAll('-', ' '),
  })
}

/** What an event tells beside its kind: amounts, times, bays and words. */
export function sayFacts({ facts }: Pick<StayEvent, 'facts'>, write: Writers): string[] {
  const currency = typeof facts['currency'] === 'string' ? facts['currency'] : undefined
  return Object.entries(facts).flatMap(([name, value]) => {
    const said = sayValue(name, value, currency, write)
    if (name === 'currency' || said === undefined) return []
    const label = i18next.t(`desk:fact.${name}` as 'desk:fact.reason', {
      defaultValue: name.replaceAll('_', ' '),
    })
    return [`${label}: ${said}`]
  })
}

function sayValue(
  name: string,
  value: unknown,
  currency: string | undefined,
  { money, moment }: Writers,
): string | undefined {
  if (typeof value === 'number') {
    return name.endsWith('_minor') && currency
      ? value === 0
        ? undefined
        : money(value, currency)
      : String(value)
  }
  if (typeof value !== 'string' || value === '') return undefined
  return INSTANT.test(value) ? moment(value) : value
}
