/**
 * Opening hours as they are typed, read as the API reads them, so that the week can be shown while one
 * types; what counts is still what the API says.
 */

/** Minutes after midnight; an end beyond 1440 lies on the next day. */
export type MinuteRange = readonly [opens: number, closes: number]
export type Week = readonly (readonly MinuteRange[])[]

export type HoursMistake = 'empty' | 'long' | 'unreadable' | 'noTime' | 'atOnce' | 'overlap'
export type HoursReading =
  { week: Week; mistake?: undefined } | { week?: undefined; mistake: HoursMistake; part: string }

export const DAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'] as const
export const DAY_MINUTES = 24 * 60
const LONGEST = 255

const names: string[] = DAYS.map((day) => day.toLowerCase())
const day = `(?:${names.join('|')})`
// eslint-disable-next-line security/detect-non-literal-regexp -- it is made of constants
const daysPattern = new RegExp(`^(${day}(?:-${day})?(?:,${day}(?:-${day})?)*)(?![a-z])`)
const timesPattern = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/
const allDay: readonly MinuteRange[] = [[0, DAY_MINUTES]]

class Mistake extends Error {
  readonly kind: HoursMistake
  constructor(kind: HoursMistake, part: string) {
    super(part)
    this.kind = kind
  }
}

/** The week that the text means, or what is wrong with it. A later rule replaces an earlier one. */
export function readHours(text: string): HoursReading {
  if (text.length > LONGEST) return { mistake: 'long', part: text }
  const rules = text
    .trim()
    .toLowerCase()
    // People paste dashes of every length.
    .replace(/[–—]/g, '-')
    .replace(/\s*([-,;])\s*/g, '$1')
    .split(';')
    .filter(Boolean)
  if (rules.length === 0) return { mistake: 'empty', part: '' }
  try {
    const week: (readonly MinuteRange[])[] = DAYS.map(() => [])
    for (const rule of rules) {
      const { weekdays, ranges } = readRule(rule.trim())
      for (const weekday of weekdays) week[weekday] = ranges
    }
    return { week }
  } catch (error) {
    if (error instanceof Mistake) return { mistake: error.kind, part: error.message }
    throw error
  }
}

export const isAlwaysOpen = (week: Week): boolean =>
  week.every((ranges) => ranges.length === 1 && ranges[0] !== undefined && isWholeDay(ranges[0]))

export const isWholeDay = ([opens, closes]: MinuteRange): boolean =>
  opens === 0 && closes === DAY_MINUTES

function readRule(rule: string): { weekdays: number[]; ranges: readonly MinuteRange[] } {
  if (rule === '24/7') return { weekdays: [...DAYS.keys()], ranges: allDay }
  const found = daysPattern.exec(rule)?.[1]
  const weekdays = found ? readDays(found) : [...DAYS.keys()]
  const times = found ? rule.slice(found.length).replace(/^:/, '').trim() : rule
  // Days alone mean the whole day.
  if (found && !times) return { weekdays, ranges: allDay }
  if (times === 'off' || times === 'closed') return { weekdays, ranges: [] }
  const ranges = times
    .split(',')
    .map((part) => readRange(part.trim(), rule))
    .sort(([first], [second]) => first - second)
  ranges.forEach(([, closes], index) => {
    const next = ranges[index + 1]
    if (next && next[0] < closes) throw new Mistake('overlap', rule)
  })
  return { weekdays, ranges: joinTouching(ranges) }
}

function readDays(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = '', last = first] = part.split('-')
    const start = names.indexOf(first)
    // Saturday to Monday wraps around the end of the week.
    const length = ((names.indexOf(last) - start + 7) % 7) + 1
    return Array.from({ length }, (_, offset) => (start + offset) % 7)
  })
}

function readRange(text: string, rule: string): MinuteRange {
  const found = timesPattern.exec(text)
  if (!found) throw new Mistake('unreadable', rule)
  const [firstHour = 0, firstMinute = 0, lastHour = 0, lastMinute = 0] = found.slice(1).map(Number)
  const opens = firstHour * 60 + firstMinute
  const closes = lastHour * 60 + lastMinute
  if (Math.max(firstMinute, lastMinute) > 59 || opens >= DAY_MINUTES || closes > DAY_MINUTES) {
    throw new Mistake('noTime', text)
  }
  if (opens === closes) throw new Mistake('atOnce', text)
  return [opens, closes > opens ? closes : closes + DAY_MINUTES]
}

function joinTouching(ranges: readonly MinuteRange[]): MinuteRange[] {
  const joined: MinuteRange[] = []
  for (const range of ranges) {
    const before = joined.at(-1)
    // A span of a day or more stays in two pieces, as the API writes it.
    const whole: MinuteRange | undefined =
      before?.[1] === range[0] ? [before[0], range[1]] : undefined
    if (whole && (whole[1] - whole[0] < DAY_MINUTES || isWholeDay(whole))) {
      joined[joined.length - 1] = whole
    } else joined.push(range)
  }
  return joined
}
