import { describe, expect, it } from 'vitest'
import type { TariffBand, TariffDayRule } from '@/api/admin-lots'
import { pricedWeek } from './tariff-week'

const aRule = (change: Partial<TariffDayRule>): TariffDayRule => ({
  name: 'Rule',
  weekdays: [],
  on_holidays: false,
  percent_bp: 5000,
  day_cap_minor: null,
  ...change,
})
const aBand = (change: Partial<TariffBand>): TariffBand => ({
  name: 'Early bird',
  kind: 'early_bird',
  weekdays: [0, 1, 2, 3, 4],
  on_holidays: false,
  enter_from_minutes: 360,
  enter_until_minutes: 540,
  leave_until_minutes: 1140,
  first_day: null,
  last_day: null,
  amount_minor: 900,
  ...change,
})

describe('pricedWeek', () => {
  it('gives each day the first rule that names it, with its cap or that of all days', () => {
    const week = pricedWeek({
      day_cap_minor: 2000,
      holiday_region: null,
      bands: [],
      day_rules: [
        aRule({ name: 'Sunday', weekdays: [6], day_cap_minor: 500 }),
        aRule({ name: 'Weekend', weekdays: [5, 6] }),
      ],
    })
    expect(week.map(({ rule }) => rule?.name)).toEqual([
      ...Array.from({ length: 5 }, () => undefined),
      'Weekend',
      'Sunday',
    ])
    expect(week.map(({ capMinor }) => capMinor)).toEqual([2000, 2000, 2000, 2000, 2000, 2000, 500])
  })

  it('shows public holidays only where there are any', () => {
    const terms = {
      day_cap_minor: null,
      bands: [aBand({}), aBand({ name: 'Evening', on_holidays: true })],
      day_rules: [aRule({ name: 'Holiday', on_holidays: true })],
    }
    expect(pricedWeek({ ...terms, holiday_region: null })).toHaveLength(7)
    const holiday = pricedWeek({ ...terms, holiday_region: 'DE' })[7]
    expect(holiday?.rule?.name).toBe('Holiday')
    expect(holiday?.bands.map(({ name }) => name)).toEqual(['Evening'])
    expect(pricedWeek({ ...terms, holiday_region: 'DE' })[5]?.bands).toEqual([])
  })
})
