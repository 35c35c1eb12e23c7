import { useTranslation } from 'i18next-vue'
import { computed } from 'vue'
import { isLocale } from '@/lib/locale'
import { formatMoney, formatMoneyBrief } from '@/lib/money'
import { dayParts, daysFromNow, formatDate, formatDay, formatTime, MINUTE } from '@/lib/time'
import { useInstallation } from '@/queries/installation'
import { useSession } from '@/stores/session'
import { useNow } from './useNow'

type Instant = Date | string

function formatMetres(metres: number, locale: string): string {
  const [value, unit] = metres < 1000 ? [metres, 'meter'] : [metres / 1000, 'kilometer']
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    maximumFractionDigits: value < 10 ? 2 : 0,
  }).format(value)
}

/** Money, times and lengths as who is signed in writes them, or else this installation's people. */
export function useFormat() {
  const { t } = useTranslation()
  const { locale: common } = useInstallation()
  const session = useSession()
  const locale = computed(() => {
    const own = session.user?.locale
    return own && isLocale(own) ? own : common.value
  })
  const now = useNow()
  // The words of a day change with the clock, but not each second, and with them all that shows them.
  const minute = computed(() => Math.floor(now.value.getTime() / MINUTE) * MINUTE)

  function day(instant: Instant, zone: string): string {
    switch (daysFromNow(instant, zone, new Date(minute.value))) {
      case 0:
        return t('time.today')
      case 1:
        return t('time.tomorrow')
      case -1:
        return t('time.yesterday')
      default:
        return formatDay(instant, zone, locale.value)
    }
  }

  function length(minutes: number): string {
    const parts = [
      [Math.floor(minutes / 1440), 'time.days'],
      [Math.floor(minutes / 60) % 24, 'time.hours'],
      [minutes % 60, 'time.minutes'],
    ] as const
    const said = parts.filter(([count]) => count > 0).map(([count, key]) => t(key, { count }))
    return said.join(' ') || t('time.minutes', { count: 0 })
  }

  const time = (instant: Instant, zone: string) => formatTime(instant, zone, locale.value)
  const dayTime = (instant: Instant, zone: string) =>
    t('time.day', { day: day(instant, zone), time: time(instant, zone) })

  return {
    /** As this person writes; for what has no function of its own here. */
    locale,
    /** ₹165.00 */
    money: (minor: number, currency: string) => formatMoney(minor, currency, locale.value),
    /** ₹165 */
    moneyBrief: (minor: number, currency: string) =>
      formatMoneyBrief(minor, currency, locale.value),
    /** 6:30 pm */
    time,
    /** Today, Tomorrow, Thu 26 Nov */
    day,
    /** 26 November 2026 */
    date: (instant: Instant, zone: string) => formatDate(instant, zone, locale.value),
    /** Today, 6:30 pm */
    dayTime,
    /** Today, 6:30 pm – 9:30 pm; the second day is said when it is another one. */
    window(startsAt: Instant, endsAt: Instant, zone: string): string {
      const isOneDay = day(startsAt, zone) === day(endsAt, zone)
      return t('time.range', {
        from: dayTime(startsAt, zone),
        to: isOneDay ? time(endsAt, zone) : dayTime(endsAt, zone),
      })
    },
    /** 1 h 45 min, from minutes */
    length,
    /** Nov and 26, for a leaf of a calendar */
    leaf: (instant: Instant, zone: string) => dayParts(instant, zone, locale.value),
    /** 7.5%, from basis points */
    percent: (basisPoints: number) =>
      new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 2 }).format(
        basisPoints / 10_000,
      ),
    /** 15,083 */
    number: (value: number) => new Intl.NumberFormat(locale.value).format(value),
    /** 2.1 m, and 1.5 km from a thousand on */
    metres: (metres: number) => formatMetres(metres, locale.value),
  }
}
