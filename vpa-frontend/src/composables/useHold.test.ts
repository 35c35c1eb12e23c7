import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick, ref } from 'vue'
import type { Quote } from '@/api/quotes'
import type { Reservation } from '@/api/reservations'
import { aHold } from '@/test/bookings'
import { ApiError } from '@/lib/errors'
import { useSession } from '@/stores/session'
import { inSetup } from '@/test/in-setup'
import { given, settled } from '@/test/page'
import { aUser } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import { useAnnouncer } from './useAnnouncer'
import { useHold } from './useHold'

useServer()
enableAutoUnmount(afterEach)

const NOW = new Date('2026-11-26T14:00:00Z')
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000).toISOString()
const { polite } = useAnnouncer()

/** The API's side of it: holds by their id, and what was asked of it. */
let holds: Map<number, Reservation>
let asked: string[]
let keys: (string | null)[]
let quotes: number
/** What is answered to the next wishes, before they are granted again. */
let refusals: (() => Response)[]

function hold(change: Partial<Reservation> = {}): Reservation {
  const made = aHold({ created_at: later(0), hold_expires_at: later(600), ...change })
  holds.set(made.id, made)
  return made
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date', 'setInterval', 'clearInterval'] })
  holds = new Map()
  asked = []
  keys = []
  quotes = 0
  refusals = []
  polite.value = ''
  let lastId = 100
  server.use(
    http.post('*/api/v1/reservations', async ({ request }) => {
      const body = (await request.json()) as { spot_id?: number; quote_id: number }
      asked.push(`hold ${body.spot_id ?? 'any'} at ${body.quote_id}`)
      keys.push(request.headers.get('idempotency-key'))
      const refusal = refusals.shift()
      if (refusal) return refusal()
      lastId += 1
      const spot = { ...aHold().spot, id: body.spot_id ?? 3, label: `B${body.spot_id ?? 3}` }
      return HttpResponse.json(hold({ id: lastId, spot }), { status: 201 })
    }),
    http.get('*/api/v1/reservations/:id', ({ params }) => {
      const found = holds.get(Number(params['id']))
      return found ? HttpResponse.json(found) : refuse(404, 'not-found', 'There is none.')
    }),
    http.post('*/api/v1/reservations/:id/:verb', ({ params }) => {
      const id = Number(params['id'])
      asked.push(`${String(params['verb'])} ${id}`)
      const current = holds.get(id)
      if (current?.status !== 'held') return refuse(409, 'illegal-transition')
      const changed: Reservation =
        params['verb'] === 'cancel'
          ? { ...current, status: 'cancelled', hold_expires_at: null }
          : { ...current, hold_expires_at: later(900), allowed_actions: ['pay', 'cancel'] }
      holds.set(id, changed)
      return HttpResponse.json(changed)
    }),
  )
})
afterEach(() => {
  vi.useRealTimers()
})

async function start(wanted?: number) {
  const id = ref(wanted)
  const isPaying = ref(false)
  const onPaid = vi.fn()
  const isLeft = ref(false)
  const onEnded = vi.fn()
  const onFree = vi.fn()
  const price = vi.fn((isNew: boolean) => {
    if (isNew) quotes += 1
    return Promise.resolve({ id: 50 + quotes } as Quote)
  })
  const { result, page } = await inSetup(() => {
    useSession().update(aUser())
    return useHold({ id, isPaying, isLeft, price, onPaid, onEnded, onFree })
  })
  return { page, hold: result, id, isPaying, isLeft, onPaid, onEnded, onFree, price }
}
/** Time passes, second by second as the clock of a page does. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    vi.advanceTimersByTime(1000)
    await nextTick()
  }
}
const noAnswer = () => HttpResponse.error()

describe('taking a bay', () => {
  it('holds it at the price that is known', async () => {
    const { hold, id } = await start()
    const made = await hold.take({ vehicleId: 4, spotId: 8, label: 'B8' })
    expect(asked).toEqual(['hold 8 at 50'])
    expect(made?.spot.label).toBe('B8')
    expect(id.value).toBe(101)
    expect(hold.held.value?.id).toBe(101)
    expect(hold.clock.value).toBe('10:00')
    expect(polite.value).toBe('Bay B8 is held for you.')
  })

  it('leaves the choice to the system without a bay', async () => {
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    expect(asked).toEqual(['hold any at 50'])
  })

  it('says what is asked for meanwhile, and takes no second wish', async () => {
    const { hold } = await start()
    const first = hold.take({ vehicleId: 4, spotId: 8 })
    expect(hold.asked.value?.spotId).toBe(8)
    expect(await hold.take({ vehicleId: 4, spotId: 9 })).toBeUndefined()
    await first
    expect(hold.asked.value).toBeUndefined()
    expect(asked).toHaveLength(1)
  })

  it('lets the bay before go first, since a vehicle has one at a time', async () => {
    const { hold, id, onEnded } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    await hold.take({ vehicleId: 4, spotId: 9 })
    expect(asked).toEqual(['hold 8 at 50', 'cancel 101', 'hold 9 at 50'])
    expect(id.value).toBe(102)
    expect(hold.held.value?.spot.label).toBe('B9')
    // That it was let go is no news to who did it.
    expect(hold.refusal.value).toBeUndefined()
    expect(onEnded).not.toHaveBeenCalled()
  })

  it('asks for a new price once the one known has run out', async () => {
    refusals = [() => refuse(409, 'quote-expired')]
    const { hold } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    expect(asked).toEqual(['hold 8 at 50', 'hold 8 at 51'])
    expect(keys[0]).not.toBe(keys[1])
    expect(hold.held.value).toBeDefined()
  })

  it('leaves the bay alone while it is being paid', async () => {
    const { hold, id, isPaying } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    isPaying.value = true
    await hold.take({ vehicleId: 4, spotId: 9 })
    await hold.release()
    expect(asked).toEqual(['hold 8 at 50'])
    expect(id.value).toBe(101)
  })

  it('books nothing for good that costs nothing, unless that was known', async () => {
    const { hold, id, price, onFree } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    price.mockResolvedValue({ id: 60, total_minor: 0 } as Quote)
    const wish = { vehicleId: 4, spotId: 8, label: 'B8' }
    await hold.take(wish)
    expect(asked).toEqual(['hold 8 at 50', 'cancel 101'])
    expect(onFree).toHaveBeenCalledWith(wish)
    expect(id.value).toBeUndefined()
    await hold.take({ ...wish, mayBeFree: true })
    expect(asked.at(-1)).toBe('hold 8 at 60')
  })

  it('keeps the bay before where there is no price, and says that something went wrong', async () => {
    const { hold, price } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    price.mockRejectedValue(new Error('gave up'))
    await hold.take({ vehicleId: 4, spotId: 9 })
    expect(hold.refusal.value?.kind).toBe('other')
    expect(hold.held.value?.spot.id).toBe(8)
    expect(hold.asked.value).toBeUndefined()
  })

  it('is done at once where nothing is to be paid', async () => {
    refusals = [() => HttpResponse.json(hold0(), { status: 201 })]
    const hold0 = () => hold({ id: 90, status: 'confirmed', hold_expires_at: null })
    const { hold: use, onPaid } = await start()
    await use.take({ vehicleId: 4 })
    await settled(() => onPaid.mock.calls.length > 0)
    expect(onPaid).toHaveBeenCalledWith(expect.objectContaining({ id: 90 }))
    expect(use.held.value).toBeUndefined()
  })
})

describe('a refusal', () => {
  const taken = {
    type: '/problems/spot-taken',
    title: '',
    status: 409,
    detail: '',
    alternatives: {
      spots: [{ id: 9, label: 'B9', level: '0', kind: 'standard' }],
      lots: [],
      next_window: null,
    },
  }

  it('of a bay that was just taken names the nearest free one', async () => {
    refusals = [() => HttpResponse.json(taken, { status: 409 })]
    const { hold, id } = await start()
    await hold.take({ vehicleId: 4, spotId: 8, label: 'B8' })
    expect(hold.refusal.value).toMatchObject({
      kind: 'spot-taken',
      wish: { spotId: 8, label: 'B8' },
      bays: [{ id: 9, label: 'B9' }],
    })
    expect(id.value).toBeUndefined()
    const { bays } = hold.refusal.value as { bays: { id: number }[] }
    await hold.take({ vehicleId: 4, spotId: bays[0]?.id })
    expect(hold.held.value?.spot.id).toBe(9)
    expect(hold.refusal.value).toBeUndefined()
  })

  it('of a full lot tells of a later time and of lots nearby', async () => {
    const next = { starts_at: later(3600), ends_at: later(7200) }
    const lot = { id: 2, name: 'Semperoper' }
    refusals = [
      () =>
        HttpResponse.json(
          {
            ...taken,
            type: '/problems/lot-full',
            alternatives: { spots: [], lots: [lot], next_window: next },
          },
          { status: 409 },
        ),
    ]
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    expect(hold.refusal.value).toMatchObject({ kind: 'lot-full', bays: [], lots: [lot], next })
  })

  it.each(['too-many-holds', 'too-many-reservations', 'vehicle-already-booked'])(
    'by %s keeps the wish',
    async (slug) => {
      refusals = [() => refuse(409, slug)]
      const { hold } = await start()
      await hold.take({ vehicleId: 4, spotId: 8 })
      expect(hold.refusal.value).toEqual({ kind: slug, wish: { vehicleId: 4, spotId: 8 } })
    },
  )

  it.each(['vehicle-does-not-fit', 'lot-not-bookable'])('by %s says why', async (slug) => {
    refusals = [() => refuse(409, slug, 'It is too low for your van.')]
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    expect(hold.refusal.value).toEqual({ kind: 'other', message: 'It is too low for your van.' })
  })

  it('goes when the wish changes', async () => {
    refusals = [() => refuse(409, 'lot-full')]
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    hold.clear()
    expect(hold.refusal.value).toBeUndefined()
  })
})

describe('without an answer', () => {
  it('what was changed for the wish is changed again with it', async () => {
    const { hold, price } = await start()
    const change = vi.fn(() => Promise.resolve())
    price.mockRejectedValueOnce(new ApiError(0, {}))
    await hold.take({ vehicleId: 4, spotId: 8 }, change)
    expect(hold.refusal.value?.kind).toBe('no-answer')
    await hold.retry()
    expect(change).toHaveBeenCalledTimes(2)
    expect(asked).toEqual(['hold 8 at 50'])
  })

  it('the same request is sent again, with its key', async () => {
    refusals = [noAnswer]
    const { hold } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    expect(hold.refusal.value?.kind).toBe('no-answer')
    await hold.retry()
    expect(asked).toEqual(['hold 8 at 50', 'hold 8 at 50'])
    expect(keys[0]).toBe(keys[1])
    expect(hold.held.value).toBeDefined()
  })

  it('it stays so while there is none', async () => {
    refusals = [noAnswer, noAnswer]
    const { hold } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    await hold.retry()
    expect(hold.refusal.value?.kind).toBe('no-answer')
    await hold.retry()
    expect(new Set(keys).size).toBe(1)
    expect(hold.held.value).toBeDefined()
  })

  it('another wish first undoes the one that may have been granted', async () => {
    refusals = [noAnswer]
    const { hold } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    await hold.take({ vehicleId: 4, spotId: 9 })
    expect(asked).toEqual(['hold 8 at 50', 'hold 8 at 50', 'cancel 101', 'hold 9 at 50'])
    expect(keys[0]).toBe(keys[1])
    expect(keys[2]).not.toBe(keys[1])
    expect(hold.held.value?.spot.label).toBe('B9')
  })

  it('another wish goes on where the first was refused', async () => {
    refusals = [noAnswer, () => refuse(409, 'spot-taken')]
    const { hold } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    await hold.take({ vehicleId: 4, spotId: 9 })
    expect(asked).toEqual(['hold 8 at 50', 'hold 8 at 50', 'hold 9 at 50'])
    expect(hold.held.value?.spot.label).toBe('B9')
  })
})

describe('a hold from the address', () => {
  it('goes on', async () => {
    hold({ id: 7 })
    const { hold: use } = await start(7)
    expect(use.isLoading.value).toBe(true)
    await settled(() => use.held.value !== undefined)
    expect(use.held.value?.id).toBe(7)
    expect(use.isLoading.value).toBe(false)
  })

  it('that does not load can be asked for again', async () => {
    server.use(http.get('*/api/v1/reservations/7', () => refuse(500, 'internal'), { once: true }))
    hold({ id: 7 })
    const { hold: use, id } = await start(7)
    await settled(() => use.error.value !== null)
    expect([use.error.value === null, id.value]).toEqual([false, 7])
    await use.reload()
    expect(use.held.value?.id).toBe(7)
    expect(use.error.value).toBeNull()
  })

  it("of somebody else's is not there", async () => {
    const { hold, id } = await start(8)
    await settled(() => hold.refusal.value !== undefined)
    expect(hold.refusal.value).toEqual({ kind: 'missing' })
    expect(id.value).toBeUndefined()
  })

  it('that was paid leads to its ticket', async () => {
    hold({ id: 7, status: 'confirmed', hold_expires_at: null })
    const { onPaid } = await start(7)
    await settled(() => onPaid.mock.calls.length > 0)
    expect(onPaid).toHaveBeenCalledOnce()
  })

  it('that has ended can be held again', async () => {
    hold({ id: 7, status: 'expired', hold_expires_at: null })
    const { hold: use, id, onEnded } = await start(7)
    await settled(() => use.refusal.value !== undefined)
    const wish = { vehicleId: 4, spotId: 3, label: 'C05' }
    expect(use.refusal.value).toEqual({ kind: 'ended', wish })
    expect(onEnded).toHaveBeenCalledWith(wish)
    expect(id.value).toBeUndefined()
    await use.take(wish)
    expect(use.held.value?.spot.id).toBe(3)
  })
})

describe('letting it go', () => {
  it('frees the bay', async () => {
    const { hold, id } = await start()
    await hold.take({ vehicleId: 4 })
    await hold.release()
    expect(asked.at(-1)).toBe('cancel 101')
    expect(id.value).toBeUndefined()
    expect(hold.refusal.value).toBeUndefined()
  })

  it('happens too when its driver has left before it was granted', async () => {
    const { hold, page } = await start()
    const asking = hold.take({ vehicleId: 4 })
    page.unmount()
    await asking
    await settled(() => asked.length > 1)
    expect(asked).toEqual(['hold any at 50', 'cancel 101'])
  })

  it('happens too while its driver is on the way to another page', async () => {
    const { hold, id, isLeft } = await start()
    const asking = hold.take({ vehicleId: 4 })
    isLeft.value = true
    await asking
    await settled(() => asked.length > 1)
    expect(asked).toEqual(['hold any at 50', 'cancel 101'])
    expect(id.value).toBeUndefined()
  })

  it('is nothing to worry about when it ended by itself', async () => {
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    holds.set(101, { ...given(holds.get(101)), status: 'expired' })
    await hold.release()
    expect(hold.refusal.value).toBeUndefined()
  })
})

describe('the clock', () => {
  it('ticks, says five minutes and one, and asks in the last one', async () => {
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    await pass(299)
    expect([hold.clock.value, hold.share.value]).toEqual(['5:01', 301 / 600])
    expect(polite.value).toBe('Bay B3 is held for you.')
    await pass(1)
    expect(polite.value).toBe('Your bay is held for 5 more minutes.')
    await pass(239)
    expect(hold.isUrgent.value).toBe(false)
    await pass(1)
    expect(hold.isUrgent.value).toBe(true)
    expect(polite.value).toBe('Your bay is held for 1 more minute.')
  })

  it('has more time once it is kept', async () => {
    const { hold } = await start()
    await hold.take({ vehicleId: 4 })
    await pass(570)
    await hold.keep()
    expect(asked.at(-1)).toBe('prolong 101')
    expect(hold.clock.value).toBe('5:30')
    expect(hold.isUrgent.value).toBe(false)
    expect(hold.held.value?.allowed_actions).not.toContain('prolong')
  })

  it('tells that the hold has ended when its time is over', async () => {
    const { hold, onEnded } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    holds.set(101, { ...given(holds.get(101)), status: 'expired', hold_expires_at: null })
    await pass(600)
    await settled(() => hold.refusal.value !== undefined)
    expect(hold.refusal.value).toMatchObject({ kind: 'ended', wish: { spotId: 8, label: 'B8' } })
    expect(onEnded).toHaveBeenCalledOnce()
  })

  it('looks again where the clock of the server is behind', async () => {
    const { hold } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    await pass(600)
    await settled(() => false)
    expect(hold.held.value).toBeDefined()
    holds.set(101, { ...given(holds.get(101)), status: 'expired', hold_expires_at: null })
    await pass(5)
    await settled(() => hold.refusal.value !== undefined)
    expect(hold.refusal.value?.kind).toBe('ended')
  })

  it('says nothing of the end while a payment decides about it', async () => {
    const { hold, isPaying, onPaid } = await start()
    await hold.take({ vehicleId: 4, spotId: 8 })
    isPaying.value = true
    holds.set(101, { ...given(holds.get(101)), status: 'expired', hold_expires_at: null })
    await pass(600)
    await settled(() => hold.held.value === undefined)
    expect(hold.refusal.value).toBeUndefined()
    isPaying.value = false
    await nextTick()
    expect(hold.refusal.value?.kind).toBe('ended')
    expect(onPaid).not.toHaveBeenCalled()
  })
})
