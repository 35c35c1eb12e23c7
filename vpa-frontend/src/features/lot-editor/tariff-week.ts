import type { Tariff, TariffBand, TariffDayRule } from '@/api/admin-lots'

export type WeekTerms = Pick<Tariff, 'bands' | 'day_rules' | 'day_cap_minor' | 'holiday_region'>

/** What is special on a day of the week, or on a public holiday. */
export interface PricedDay {
  /** 0 is Monday; a public holiday has none. */
  weekday: number | null
  /** The first rule that names the day; without one it is an ordinary day. */
  rule: TariffDayRule | undefined
  capMinor: number | null
  bands: TariffBand[]
}

/** The days of a week as a tariff prices them, and public holidays where it knows any. */
export function pricedWeek(terms: WeekTerms): PricedDay[] {
  const dayOf = (
    weekday: number | null,
    rule: TariffDayRule | undefined,
    bands: TariffBand[],
  ): PricedDay => ({
    weekday,
    rule,
    capMinor: rule?.day_cap_minor ?? terms.day_cap_minor,
    bands,
  })
  const days = Array.from({ length: 7 }, (_, weekday) =>
    dayOf(
      weekday,
      terms.day_rules.find(({ weekdays }) => weekdays.includes(weekday)),
      terms.bands.filter(({ weekdays }) => weekdays.includes(weekday)),
    ),
  )
  if (!terms.holiday_region) return days
  return [
    ...days,
    dayOf(
      null,
      terms.day_rules.find(({ on_holidays }) => on_holidays),
      terms.bands.filter(({ on_holidays }) => on_holidays),
    ),
  ]
}
