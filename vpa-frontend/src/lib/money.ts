const formats = new Map<string, Intl.NumberFormat>()

function formatOf(currency: string, locale: string, isBrief: boolean): Intl.NumberFormat {
  const key = `${currency} ${locale} ${isBrief}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      ...(isBrief && { trailingZeroDisplay: 'stripIfInteger' }),
    })
    formats.set(key, format)
  }
  return format
}

export function currencyDigits(currency: string): number {
  return formatOf(currency, 'en', false).resolvedOptions().maximumFractionDigits ?? 2
}

/** Integer minor units as people write them: 16500 INR is ₹165.00. */
export function formatMoney(minor: number, currency: string, locale: string): string {
  return formatOf(currency, locale, false).format(minor / 10 ** currencyDigits(currency))
}

/** The same without the decimals of a whole amount: ₹165. */
export function formatMoneyBrief(minor: number, currency: string, locale: string): string {
  return formatOf(currency, locale, true).format(minor / 10 ** currencyDigits(currency))
}

/** A typed amount as minor units, or undefined when it is none: "4.5" EUR is 450. */
export function parseMoney(text: string, currency: string): number | undefined {
  const digits = currencyDigits(currency)
  // eslint-disable-next-line security/detect-unsafe-regex -- what it repeats is told apart by the first sign
  const match = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text.trim())
  if (!match?.[1]) return undefined
  const fraction = (match[2] ?? '').padEnd(digits, '0')
  if (fraction.length > digits) return undefined
  return Number(match[1]) * 10 ** digits + Number(fraction || 0)
}

/** Minor units as an input shows them: 450 EUR is "4.50". */
export function writeMoney(minor: number, currency: string): string {
  const digits = currencyDigits(currency)
  return (minor / 10 ** digits).toFixed(digits)
}
