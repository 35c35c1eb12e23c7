const MOST_AT_ONCE = 2000
const LARGEST_NUMBER = 99_999

/** A row of bays as it is typed. */
export interface BayRow {
  prefix: string
  from: string
  to: string
}

export type BayRowMistake = 'fromWrong' | 'toWrong' | 'toBefore' | 'tooMany'

const isNumber = (text: string) => /^\d{1,5}$/.test(text.trim())

/** What is wrong with the numbers, and at which of the two. */
export function mistakeOf({
  from,
  to,
}: BayRow): { at: 'from' | 'to'; is: BayRowMistake } | undefined {
  if (!isNumber(from)) return { at: 'from', is: 'fromWrong' }
  if (!isNumber(to)) return { at: 'to', is: 'toWrong' }
  const count = Number(to) - Number(from) + 1
  if (count < 1) return { at: 'to', is: 'toBefore' }
  if (count > MOST_AT_ONCE) return { at: 'to', is: 'tooMany' }
  return undefined
}

/** The labels of a row without mistakes: numbers have two digits, or as many as the last one needs. */
export function previewRow(
  row: BayRow,
): { first: string; last: string; count: number } | undefined {
  if (mistakeOf(row)) return undefined
  const digits = Math.max(2, String(Number(row.to)).length)
  const label = (number: string) =>
    `${row.prefix.trim()}${String(Number(number)).padStart(digits, '0')}`
  return {
    first: label(row.from),
    last: label(row.to),
    count: Number(row.to) - Number(row.from) + 1,
  }
}

/** The row after this one, as large: A01 to A12 is followed by A13 to A24. */
export function nextRow(row: BayRow): Pick<BayRow, 'from' | 'to'> {
  const from = Number(row.to) + 1
  return {
    from: String(from),
    to: String(Math.min(from + Number(row.to) - Number(row.from), LARGEST_NUMBER)),
  }
}
