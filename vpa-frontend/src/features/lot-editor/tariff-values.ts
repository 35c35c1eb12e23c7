import type {
  Tariff,
  TariffBand,
  TariffCreate,
  TariffDayRule,
  TariffKindRule,
} from '@/api/admin-lots'
import { parseMoney, writeMoney } from '@/lib/money'

/** A flat price as it is typed: times by the clock, and how many days later they are. */
export type BandValues = {
  name: string
  kind: TariffBand['kind']
  weekdays: number[]
  on_holidays: boolean
  enter_from: string
  enter_until: string
  enter_days: string
  leave_until: string
  leave_days: string
  first_day: string
  last_day: string
  amount: string
}
export type KindRuleValues = { spot_kind: TariffKindRule['spot_kind']; percent: string }
export type DayRuleValues = {
  name: string
  weekdays: number[]
  on_holidays: boolean
  percent: string
  day_cap: string
}

/** A tariff as it is typed: money in units, rates in percent. */
export type TariffValues = {
  name: string
  increments: { minutes: string; amount: string }[]
  billing_step_minutes: string
  free_minutes: string
  minimum: string
  day_cap: string
  day_start: string
  week_cap: string
  holiday_region: string
  kind_rules: KindRuleValues[]
  day_rules: DayRuleValues[]
  bands: BandValues[]
  tax_inclusive: boolean
  /** Without any named, the API puts in those that are usual where the lot lies. */
  taxes_are: 'usual' | 'own' | 'none'
  taxes: { name: string; rate: string }[]
}

/** Gives a control what it needs for one of the values of a form. */
export type FieldOf = (path: string) => Record<string, unknown>

export const MOST_INCREMENTS = 100
export const MOST_TAXES = 10
export const MOST_BANDS = 20
export const MOST_DAY_RULES = 20
export const MONTH_MINUTES = 30 * 24 * 60
export const DAY_MINUTES = 24 * 60
export const MOST_BAND_DAYS = 13
export const MOST_PERCENT_BP = 100_000
export const BAND_KINDS = ['early_bird', 'evening', 'weekend', 'event'] as const
export const SPOT_KINDS = [
  'standard',
  'compact',
  'large',
  'accessible',
  'electric',
  'motorcycle',
] as const
export const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]

export const emptyTariff = (name: string): TariffValues => ({
  name,
  increments: [{ minutes: '60', amount: '' }],
  billing_step_minutes: '15',
  free_minutes: '0',
  minimum: '',
  day_cap: '',
  day_start: '00:00',
  week_cap: '',
  holiday_region: '',
  kind_rules: [],
  day_rules: [],
  bands: [],
  tax_inclusive: true,
  taxes_are: 'usual',
  taxes: [],
})

/** What a flat price of a kind usually looks like, to start from. */
export function emptyBand(kind: BandValues['kind'], name: string): BandValues {
  const usual = {
    early_bird: { weekdays: [0, 1, 2, 3, 4], times: ['06:00', '09:00', '0', '19:00', '0'] },
    evening: { weekdays: EVERY_DAY, times: ['18:00', '23:00', '0', '02:00', '1'] },
    weekend: { weekdays: [5], times: ['06:00', '18:00', '1', '23:59', '1'] },
    event: { weekdays: EVERY_DAY, times: ['16:00', '21:00', '0', '02:00', '1'] },
  }[kind]
  const [enter_from = '', enter_until = '', enter_days = '0', leave_until = '', leave_days = '0'] =
    usual.times
  return {
    name,
    kind,
    weekdays: [...usual.weekdays],
    on_holidays: true,
    enter_from,
    enter_until,
    enter_days,
    leave_until,
    leave_days,
    first_day: '',
    last_day: '',
    amount: '',
  }
}

/** The terms of a version, for the next one to start from. */
export function tariffValuesOf(tariff: Tariff): TariffValues {
  const write = (minor: number | null) => (minor === null ? '' : writeMoney(minor, tariff.currency))
  return {
    name: tariff.name,
    increments: tariff.increments.map(({ minutes, amount_minor }) => ({
      minutes: String(minutes),
      amount: write(amount_minor),
    })),
    billing_step_minutes: String(tariff.billing_step_minutes),
    free_minutes: String(tariff.free_minutes),
    minimum: write(tariff.minimum_minor),
    day_cap: write(tariff.day_cap_minor),
    day_start: clockOf(tariff.day_start_minutes),
    week_cap: write(tariff.week_cap_minor),
    holiday_region: tariff.holiday_region ?? '',
    kind_rules: tariff.kind_rules.map(({ spot_kind, percent_bp }) => ({
      spot_kind,
      percent: String(percent_bp / 100),
    })),
    day_rules: tariff.day_rules.map(({ percent_bp, day_cap_minor, weekdays, ...rule }) => ({
      ...rule,
      weekdays: [...weekdays],
      percent: String(percent_bp / 100),
      day_cap: write(day_cap_minor),
    })),
    bands: tariff.bands.map((band) => ({
      name: band.name,
      kind: band.kind,
      weekdays: [...band.weekdays],
      on_holidays: band.on_holidays,
      enter_from: clockOf(band.enter_from_minutes),
      enter_until: clockOf(band.enter_until_minutes),
      enter_days: daysOf(band.enter_until_minutes),
      leave_until: clockOf(band.leave_until_minutes),
      leave_days: daysOf(band.leave_until_minutes),
      first_day: band.first_day ?? '',
      last_day: band.last_day ?? '',
      amount: write(band.amount_minor),
    })),
    tax_inclusive: tariff.tax_inclusive,
    taxes_are: tariff.taxes.length > 0 ? 'own' : 'none',
    taxes: tariff.taxes.map(({ name, rate_bp }) => ({ name, rate: String(rate_bp / 100) })),
  }
}

/** What was typed without mistakes, as the API takes it: minor units, basis points. */
export function newTariffOf(values: TariffValues, currency: string): TariffCreate {
  const money = (text: string) => parseMoney(text, currency) ?? 0
  const moneyIfAny = (text: string) => (text.trim() ? money(text) : null)
  return {
    name: values.name.trim(),
    increments: values.increments.map(({ minutes, amount }) => ({
      minutes: Number(minutes),
      amount_minor: money(amount),
    })),
    billing_step_minutes: Number(values.billing_step_minutes),
    free_minutes: Number(values.free_minutes),
    minimum_minor: moneyIfAny(values.minimum),
    day_cap_minor: moneyIfAny(values.day_cap),
    day_start_minutes: minutesOf(values.day_start),
    week_cap_minor: moneyIfAny(values.week_cap),
    holiday_region: values.holiday_region.trim().toUpperCase() || null,
    kind_rules: values.kind_rules.map(({ spot_kind, percent }) => ({
      spot_kind,
      percent_bp: parsePercent(percent) ?? 0,
    })),
    day_rules: values.day_rules.map((rule): TariffDayRule => ({
      name: rule.name.trim(),
      weekdays: inOrder(rule.weekdays),
      on_holidays: rule.on_holidays,
      percent_bp: parsePercent(rule.percent) ?? 0,
      day_cap_minor: moneyIfAny(rule.day_cap),
    })),
    bands: values.bands.map((band): TariffBand => ({
      name: band.name.trim(),
      kind: band.kind,
      weekdays: inOrder(band.weekdays),
      on_holidays: band.on_holidays,
      ...bandMinutes(band),
      first_day: band.first_day || null,
      last_day: band.last_day || null,
      amount_minor: money(band.amount),
    })),
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

/** The hours of a flat price as minutes from the midnight before it begins. */
export function bandMinutes(
  band: Pick<
    BandValues,
    'enter_from' | 'enter_until' | 'enter_days' | 'leave_until' | 'leave_days'
  >,
) {
  const later = (clock: string, days: string) => minutesOf(clock) + Number(days) * DAY_MINUTES
  return {
    enter_from_minutes: minutesOf(band.enter_from),
    enter_until_minutes: later(band.enter_until, band.enter_days),
    leave_until_minutes: later(band.leave_until, band.leave_days),
  }
}

const daysOf = (minutes: number) => String(Math.floor(minutes / DAY_MINUTES))
const inOrder = (weekdays: readonly number[]) => [...weekdays].sort((one, other) => one - other)

/** A typed percentage as basis points, or undefined when it is none: "9.5" is 950. */
export function parseRate(text: string): number | undefined {
  const rate = parsePercent(text)
  return rate !== undefined && rate <= 10_000 ? rate : undefined
}

/** The same for a part of a price, which may be more than all of it. */
export function parsePercent(text: string): number | undefined {
  // eslint-disable-next-line security/detect-unsafe-regex -- what it repeats is told apart by the first sign
  const match = /^(\d{1,4})(?:[.,](\d{1,2}))?$/.exec(text.trim())
  if (!match?.[1]) return undefined
  const rate = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'))
  return rate <= MOST_PERCENT_BP ? rate : undefined
}

/** A typed number of minutes within bounds. */
export function isMinutes(text: string, least: number, most: number): boolean {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) >= least && Number(text) <= most
}

/** What the clock shows so many minutes after a midnight: 06:30. */
export function clockOf(minutes: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}
