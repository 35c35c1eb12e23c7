import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import { DAY, fromWall, toIso, toWall } from './time'

/** The filters of a list as its address keeps them, read with a check of each. */
export function readAddress(query: LocationQuery) {
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' ? value : ''
  }
  return {
    text,
    /** The number of a thing. */
    id: (name: string) => (/^[1-9]\d{0,15}$/.test(text(name)) ? Number(text(name)) : undefined),
    /** A day such as 2026-11-26. */
    day: (name: string) => (/^\d{4}-\d\d-\d\d$/.test(text(name)) ? text(name) : ''),
    oneOf: <Value extends string, Other extends string>(
      name: string,
      known: readonly Value[],
      otherwise: Other,
    ): Value | Other => known.find((each) => each === text(name)) ?? otherwise,
    /** Where the page before this one ended, and the number of this one. */
    place() {
      const after = text('after')
      const page = Number(text('page'))
      return { after, page: after && Number.isInteger(page) && page > 1 ? page : 1 }
    },
  }
}

/** The same back into an address, without what is as it is by itself. */
export function writeAddress<Filters extends { after: string; page: number }>(
  { after, page, ...filters }: Filters,
  usual: Partial<Filters> = {},
): LocationQueryRaw {
  const kept = Object.entries(filters).filter(
    ([name, value]) => value && value !== (usual as Record<string, unknown>)[name],
  )
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
    ...(after && { after, page: String(page) }),
  }
}

/** The moments between which days of a zone lie, both of them included: from midnight to midnight. */
export function momentsOf(days: { from: string; to: string }, zone: string) {
  const from = days.from && fromWall(`${days.from}T00:00`, zone)
  const to = days.to && fromWall(`${dayAfter(days.to)}T00:00`, zone)
  return { ...(from && { from: toIso(from) }), ...(to && { to: toIso(to) }) }
}

function dayAfter(day: string): string {
  const noon = Date.parse(`${day}T12:00Z`)
  return Number.isNaN(noon) ? day : toWall(new Date(noon + DAY), 'UTC').slice(0, 10)
}
