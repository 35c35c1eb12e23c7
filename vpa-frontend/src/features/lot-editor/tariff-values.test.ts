import { describe, expect, it } from 'vitest'
import { aTariff } from '@/test/admin-lots'
import {
  BAND_KINDS,
  bandMinutes,
  emptyBand,
  emptyTariff,
  isMinutes,
  newTariffOf,
  parsePercent,
  parseRate,
  tariffValuesOf,
} from './tariff-values'

describe('newTariffOf', () => {
  it('sends minor units, basis points and minutes for what was typed', () => {
    const values = {
      ...emptyTariff(' Weekend '),
      increments: [
        { minutes: '60', amount: '2,50' },
        { minutes: ' 30 ', amount: '1' },
      ],
      billing_step_minutes: '30',
      free_minutes: '10',
      minimum: '1',
      day_cap: '18',
      day_start: '06:30',
      week_cap: '70',
      holiday_region: ' de-sn ',
      kind_rules: [{ spot_kind: 'electric' as const, percent: '125' }],
      day_rules: [
        { name: ' Weekend ', weekdays: [6, 5], on_holidays: true, percent: '50', day_cap: '' },
      ],
      bands: [
        {
          name: 'Night',
          kind: 'evening' as const,
          weekdays: [4, 0],
          on_holidays: false,
          enter_from: '18:00',
          enter_until: '00:00',
          enter_days: '1',
          leave_until: '08:00',
          leave_days: '1',
          first_day: '2026-12-01',
          last_day: '',
          amount: '5',
        },
      ],
      tax_inclusive: false,
      taxes_are: 'own' as const,
      taxes: [{ name: ' VAT ', rate: '9,5' }],
    }
    expect(newTariffOf(values, 'EUR')).toEqual({
      name: 'Weekend',
      increments: [
        { minutes: 60, amount_minor: 250 },
        { minutes: 30, amount_minor: 100 },
      ],
      billing_step_minutes: 30,
      free_minutes: 10,
      minimum_minor: 100,
      day_cap_minor: 1800,
      day_start_minutes: 390,
      week_cap_minor: 7000,
      holiday_region: 'DE-SN',
      kind_rules: [{ spot_kind: 'electric', percent_bp: 12_500 }],
      day_rules: [
        {
          name: 'Weekend',
          weekdays: [5, 6],
          on_holidays: true,
          percent_bp: 5000,
          day_cap_minor: null,
        },
      ],
      bands: [
        {
          name: 'Night',
          kind: 'evening',
          weekdays: [0, 4],
          on_holidays: false,
          enter_from_minutes: 1080,
          enter_until_minutes: 1440,
          leave_until_minutes: 1920,
          first_day: '2026-12-01',
          last_day: null,
          amount_minor: 500,
        },
      ],
      tax_inclusive: false,
      taxes: [{ name: 'VAT', rate_bp: 950 }],
    })
  })

  it('knows how many decimals a currency has', () => {
    const values = { ...emptyTariff('Day'), increments: [{ minutes: '60', amount: '200' }] }
    expect(newTariffOf(values, 'JPY').increments[0]?.amount_minor).toBe(200)
    expect(newTariffOf(values, 'INR').increments[0]?.amount_minor).toBe(20_000)
  })

  it('leaves usual taxes to the API, and says when there are none', () => {
    const values = { ...emptyTariff('Day'), taxes: [{ name: 'VAT', rate: '19' }] }
    expect(newTariffOf({ ...values, taxes_are: 'usual' }, 'EUR')).not.toHaveProperty('taxes')
    expect(newTariffOf({ ...values, taxes_are: 'none' }, 'EUR').taxes).toEqual([])
  })

  it('has no cap for a day when none is typed', () => {
    expect(newTariffOf(emptyTariff('Day'), 'EUR').day_cap_minor).toBeNull()
  })
})

describe('tariffValuesOf', () => {
  it('starts the next version from the very terms of this one', () => {
    const tariff = aTariff({
      day_start_minutes: 390,
      week_cap_minor: 9000,
      minimum_minor: 100,
      holiday_region: 'DE',
      kind_rules: [{ spot_kind: 'electric', percent_bp: 11_250 }],
      day_rules: [
        { name: 'Sunday', weekdays: [6], on_holidays: true, percent_bp: 0, day_cap_minor: 500 },
      ],
      bands: [
        {
          name: 'Weekend',
          kind: 'weekend',
          weekdays: [4],
          on_holidays: true,
          enter_from_minutes: 18 * 60,
          enter_until_minutes: 2 * 1440 + 20 * 60,
          leave_until_minutes: 3 * 1440 + 6 * 60 + 30,
          first_day: null,
          last_day: '2026-12-31',
          amount_minor: 1250,
        },
      ],
      taxes: [{ name: 'VAT', rate_bp: 1950 }],
    })
    const { id, lot_id, version, status, currency, created_at, published_at, ...terms } = tariff
    expect([id, lot_id, version, status, currency, created_at, published_at]).toHaveLength(7)
    expect(newTariffOf(tariffValuesOf(tariff), 'EUR')).toEqual(terms)
    expect(tariffValuesOf(aTariff({ taxes: [] })).taxes_are).toBe('none')
  })
})

describe('parsePercent', () => {
  it('takes more than all of a price, up to ten times', () => {
    expect(['125', '87,5', '1000', '1000.01', 'half'].map(parsePercent)).toEqual([
      12_500,
      8750,
      100_000,
      undefined,
      undefined,
    ])
  })
})

describe('emptyBand', () => {
  it.each(BAND_KINDS)('starts a price of kind %s with hours that follow each other', (kind) => {
    const hours = bandMinutes(emptyBand(kind, 'Flat'))
    expect(hours.enter_from_minutes).toBeLessThan(hours.enter_until_minutes)
    expect(hours.enter_until_minutes).toBeLessThan(hours.leave_until_minutes)
  })
})

describe('parseRate', () => {
  it.each([
    ['19', 1900],
    ['9.5', 950],
    ['9,05', 905],
    ['0', 0],
    ['100', 10_000],
    ['100.01', undefined],
    ['9.555', undefined],
    ['', undefined],
    ['-1', undefined],
  ])('reads %s', (text, rate) => {
    expect(parseRate(text)).toBe(rate)
  })
})

describe('isMinutes', () => {
  it('takes whole numbers within bounds', () => {
    expect(['0', '1', '1440', '1441', '1.5', ''].map((text) => isMinutes(text, 1, 1440))).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
