import type { Tariff, TariffCreate } from '@/api/admin-lots'
import { parseMoney, writeMoney } from '@/lib/money'

/** A tariff as it is typed: money in units, rates in percent. */
export type TariffValues = {
  name: string
  increments: { minutes: string; amount: string }[]
  billing_step_minutes: string
  free_minutes: string
  day_cap: string
  day_start: string
  tax_inclusive: boolean
  /** Without any named, the API puts in those that are usual where the lot lies. */
  taxes_are: 'usual' | 'own' | 'none'
  taxes: { name: string; rate: string }[]
}

export const MOST_INCREMENTS = 100
export const MOST_TAXES = 10
export const MONTH_MINUTES = 30 * 24 * 60

export const emptyTariff = (name: string): TariffValues => ({
  name,
  increments: [{ minutes: '60', amount: '' }],
  billing_step_minutes: '15',
  free_minutes: '0',
  day_cap: '',
  day_start: '00:00',
  tax_inclusive: true,
  taxes_are: 'usual',
  taxes: [],
})

/** The terms of a version, for the next one to start from. */
export const tariffValuesOf = (tariff: Tariff): TariffValues => ({
  name: tariff.name,
  increments: tariff.increments.map(({ minutes, amount_minor }) => ({
    minutes: String(minutes),
    amount: writeMoney(amount_minor, tariff.currency),
  })),
  billing_step_minutes: String(tariff.billing_step_minutes),
  free_minutes: String(tariff.free_minutes),
  day_cap: tariff.day_cap_minor === null ? '' : writeMoney(tariff.day_cap_minor, tariff.currency),
  day_start: clockOf(tariff.day_start_minutes),
  tax_inclusive: tariff.tax_inclusive,
  taxes_are: tariff.taxes.length > 0 ? 'own' : 'none',
  taxes: tariff.taxes.map(({ name, rate_bp }) => ({ name, rate: String(rate_bp / 100) })),
})

/** What was typed without mistakes, as the API takes it: minor units, basis points. */
export function newTariffOf(values: TariffValues, currency: string): TariffCreate {
  const money = (text: string) => parseMoney(text, currency) ?? 0
  return {
    name: values.name.trim(),
    increments: values.increments.map(({ minutes, amount }) => ({
      minutes: Number(minutes),
      amount_minor: money(amount),
    })),
    billing_step_minutes: Number(values.billing_step_minutes),
    free_minutes: Number(values.free_minutes),
    day_cap_minor: values.day_cap.trim() ? money(values.day_cap) : null,
    day_start_minutes: minutesOf(values.day_start),
    tax_inclusive: values.tax_inclusive,
    ...(values.taxes_are === 'none' && { taxes: [] }),
    ...(values.taxes_are === 'own' && {
      taxes: values.taxes.map(({ name, rate }) => ({
        name: name.trim(),
        rate_bp: parseRate(rate) ?? 0,
      })),
    }),
  }
}

/** A typed percentage as basis points, or undefined when it is none: "9.5" is 950. */
export function parseRate(text: string): number | undefined {
  // eslint-disable-next-line security/detect-unsafe-regex -- what it repeats is told apart by the first sign
  const match = /^(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(text.trim())
  if (!match?.[1]) return undefined
  const rate = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'))
  return rate <= 10_000 ? rate : undefined
}

/** A typed number of minutes within bounds. */
export function isMinutes(text: string, least: number, most: number): boolean {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) >= least && Number(text) <= most
}

function clockOf(minutes: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}
