type Fields = Readonly<Record<string, unknown>> | null

/** A field that an act changed, made or took away. */
export interface Change {
  field: string
  before: unknown
  after: unknown
}

/** What is other after an act, field by field. */
export function diffOf(before: Fields, after: Fields): Change[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
  return [...names]
    .map((field) => ({ field, before: before?.[field], after: after?.[field] }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after))
}

/** A value of any shape as one line of text; empty for none. */
export function lineOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) {
    const hasParts = value.some((each) => typeof each === 'object' && each !== null)
    return value.map(lineOf).join(hasParts ? '; ' : ', ')
  }
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([name, each]) => `${name.replaceAll('_', ' ')} ${lineOf(each)}`)
      .join(', ')
  }
  return String(value as string | number | boolean)
}
