import { describe, expect, it } from 'vitest'
import { clusterSpots, middleOf, roundRadius } from './clusters'

const idsOf = (...spots: [id: number, x: number, y: number][]) =>
  clusterSpots(
    spots.map(([id, x, y]) => ({ id, x, y })),
    undefined,
  ).map((cluster) => cluster.ids)

describe('clusterSpots', () => {
  it('keeps lots apart whose signs have room', () => {
    expect(idsOf([1, 0, 0], [2, 100, 0], [3, 0, 60])).toEqual([[1], [2], [3]])
  })

  it('puts lots together whose signs would cover each other, under the first', () => {
    expect(idsOf([1, 0, 0], [2, 20, 10], [3, 300, 0], [4, 70, 40])).toEqual([[1, 2, 4], [3]])
  })

  it('leads with the lot that was picked', () => {
    const [cluster] = clusterSpots(
      [
        { id: 1, x: 0, y: 0 },
        { id: 2, x: 5, y: 5 },
      ],
      2,
    )
    expect(cluster).toEqual({ lead: { id: 2, x: 5, y: 5 }, ids: [2, 1] })
  })

  it('leaves no sign on another, however many there are', () => {
    const many = Array.from({ length: 300 }, (_, id) => ({
      id,
      x: (id * 37) % 800,
      y: (id * 91) % 600,
    }))
    const clusters = clusterSpots(many, undefined)
    const leads = clusters.map(({ lead }) => lead)
    const covered = leads.filter((one) =>
      leads.some(
        (other) =>
          other !== one && Math.abs(one.x - other.x) < 70 && Math.abs(one.y - other.y) < 36,
      ),
    )
    expect(covered).toEqual([])
    expect(clusters.flatMap(({ ids }) => ids)).toHaveLength(300)
  })
})

describe('middleOf', () => {
  const town = Array.from({ length: 20 }, (_, index) => ({ lat: 51 + index / 1000, lng: 13.7 }))

  it('leaves the farthest outskirts out of the first view', () => {
    expect(middleOf([...town, { lat: 52, lng: 13.7 }, { lat: 49, lng: 13.7 }])).toEqual(town)
  })

  it('keeps all of a few', () => {
    const few = [
      { lat: 51, lng: 13 },
      { lat: 48, lng: 9 },
    ]
    expect(middleOf(few)).toEqual(few)
    expect(middleOf([])).toEqual([])
  })
})

it('a radius is said in round numbers, within what can be searched', () => {
  expect(roundRadius(1243, 50_000)).toBe(1200)
  expect(roundRadius(278, 50_000)).toBe(280)
  expect(roundRadius(12, 50_000)).toBe(100)
  expect(roundRadius(400_000, 50_000)).toBe(50_000)
})
