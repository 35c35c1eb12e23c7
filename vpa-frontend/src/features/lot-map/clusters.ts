/** A lot where it lies on the screen. */
export interface Spot {
  id: number
  x: number
  y: number
}

/** Lots too close together for a sign each; the first one stands for them. */
export interface Cluster {
  lead: Spot
  ids: number[]
}

/** So much room a sign needs, in pixels. */
const WIDTH = 78
const HEIGHT = 42

/**
 * Puts lots whose signs would cover each other together, the first ones first, so that no sign lies on another;
 * the picked lot comes before all.
 */
export function clusterSpots(spots: readonly Spot[], pickedId: number | undefined): Cluster[] {
  const ordered = [...spots].sort((a, b) => Number(b.id === pickedId) - Number(a.id === pickedId))
  const clusters: Cluster[] = []
  for (const spot of ordered) {
    const near = clusters.find(
      ({ lead }) => Math.abs(lead.x - spot.x) < WIDTH && Math.abs(lead.y - spot.y) < HEIGHT,
    )
    if (near) near.ids.push(spot.id)
    else clusters.push({ lead: spot, ids: [spot.id] })
  }
  return clusters
}

/** One in so many may lie outside of the first view, at each of its sides. */
const ONE_IN = 14

/** The lots without the outermost, which would push all others together: a city, not its farthest outskirts. */
export function middleOf<Lot extends { lat: number; lng: number }>(lots: readonly Lot[]): Lot[] {
  const cut = Math.floor(lots.length / ONE_IN)
  const spanOf = (of: (lot: Lot) => number) => {
    const sorted = lots.map(of).sort((a, b) => a - b)
    return [sorted[cut] ?? 0, sorted[sorted.length - 1 - cut] ?? 0] as const
  }
  const [south, north] = spanOf((lot) => lot.lat)
  const [west, east] = spanOf((lot) => lot.lng)
  const isMiddle = ({ lat, lng }: Lot) => lat >= south && lat <= north && lng >= west && lng <= east
  const middle = lots.filter(isMiddle)
  return middle.length > 0 ? middle : [...lots]
}

/** A radius as one says it: 1,240 m is 1.2 km. */
export function roundRadius(metres: number, most: number): number {
  const step = 10 ** Math.max(1, Math.floor(Math.log10(metres)) - 1)
  return Math.min(Math.max(Math.round(metres / step) * step, 100), most)
}
