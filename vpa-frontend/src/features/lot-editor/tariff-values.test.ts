import { describe, expect, it } from 'vitest'
import { aTariff } from '@/test/admin-lots'
import { emptyTariff, isMinutes, newTariffOf, parseRate, tariffValuesOf } from './tariff-values'

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
      day_cap: '18',
      day_start: '06:30',
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
      day_cap_minor: 1800,
      day_start_minutes: 390,
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
    const tariff = aTariff({ day_start_minutes: 390, taxes: [{ name: 'VAT', rate_bp: 1950 }] })
    expect(newTariffOf(tariffValuesOf(tariff), 'EUR')).toEqual({
      name: tariff.name,
      increments: tariff.increments,
      billing_step_minutes: tariff.billing_step_minutes,
      free_minutes: tariff.free_minutes,
      day_cap_minor: tariff.day_cap_minor,
      day_start_minutes: 390,
      tax_inclusive: tariff.tax_inclusive,
      taxes: tariff.taxes,
    })
    expect(tariffValuesOf(aTariff({ taxes: [] })).taxes_are).toBe('none')
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
