import { randomBytes, randomInt } from 'node:crypto'
import { expect, test, type APIRequestContext, type APIResponse } from '@playwright/test'
import type { components } from '../src/api/schema'
import type { Mailbox } from './mailbox.ts'
import type { Credentials } from './system.ts'

type Schemas = components['schemas']
export type FoundLot = Schemas['FoundLot']
export type Reservation = Schemas['Reservation']
export type SpotState = Schemas['SpotState']
export type Vehicle = Schemas['Vehicle']

export interface Person extends Credentials {
  name: string
  token: string
}

export interface Window {
  starts_at: string
  ends_at: string
}

export function newEmail(): string {
  return `driver-${randomBytes(5).toString('hex')}@example.org`
}

/** A plate of nobody else, as Dresden writes them. */
export function newPlate(): string {
  return `DD ${letter()}${letter()} ${String(randomInt(1000, 9999))}`
}

function letter(): string {
  return String.fromCharCode(randomInt(65, 91))
}

export const PASSWORD = 'a quiet place by the river'

/** The API beside the browser, for what a test needs but does not test. */
export class Api {
  constructor(
    private readonly request: APIRequestContext,
    private readonly mailbox: Mailbox,
  ) {}

  /** A new driver, whose address is proven by the code of the mail. */
  async signUp(name = 'Asha Rao'): Promise<Person> {
    const email = newEmail()
    const { challenge_id } = await this.post<Schemas['Challenge']>('/auth/register', {
      email,
      name,
      password: PASSWORD,
      timezone: 'Europe/Berlin',
      locale: 'en-IE',
    })
    const code = await this.mailbox.code(email)
    const { access_token } = await this.post<Schemas['SignIn']>('/auth/verify-otp', {
      challenge_id,
      code,
    })
    return { email, password: PASSWORD, name, token: access_token }
  }

  async signIn(credentials: Credentials): Promise<Person> {
    const { access_token, user } = await this.post<Schemas['SignIn']>('/auth/login', {
      email: credentials.email,
      password: credentials.password,
    })
    return { ...credentials, name: user.name, token: access_token }
  }

  /** Ends every session of a person, as they can do from another device. */
  async signOutEverywhere(person: Person): Promise<void> {
    const answer = await this.request.post('/api/v1/auth/logout', {
      data: { everywhere: true },
      headers: headersOf(person),
    })
    expect(answer.status()).toBe(204)
  }

  addVehicle(person: Person, facts: Partial<Schemas['VehicleCreate']> = {}): Promise<Vehicle> {
    return this.post('/vehicles', { plate: newPlate(), ...facts }, person)
  }

  /**
   * A lot by its whole name, with a window of the coming days for which many of its bays are free.
   *
   * Tests that run at the same time get windows apart from each other, so that none takes the bay of another.
   */
  async findLot(name: string, hours = 2): Promise<{ lot: FoundLot; window: Window }> {
    for (let day = 2; day < 9; day += 1) {
      const start = new Date(Date.now() + day * 86_400_000)
      start.setUTCHours(6 + 4 * (test.info().parallelIndex % 4), 0, 0, 0)
      const window = {
        starts_at: start.toISOString(),
        ends_at: new Date(start.getTime() + hours * 3_600_000).toISOString(),
      }
      const { items } = await this.get<Schemas['LotList']>(
        `/lots?${new URLSearchParams({ q: name, ...window }).toString()}`,
      )
      const lot = items.find((each) => each.name === name)
      if (!lot) throw new Error(`There is no lot ${name}.`)
      if (lot.bookable && lot.available >= 12) return { lot, window }
    }
    throw new Error(`${name} is never bookable.`)
  }

  /** The bays that any car may take. */
  async freeSpots(lot: FoundLot, window: Window): Promise<SpotState[]> {
    const { items } = await this.get<Schemas['SpotStateList']>(
      `/lots/${String(lot.id)}/spots?${new URLSearchParams({ ...window }).toString()}`,
    )
    return items.filter((spot) => spot.state === 'free' && spot.kind === 'standard')
  }

  /** Holds a bay, this very one if it is given. */
  async hold(
    person: Person,
    booking: { lot: FoundLot; window: Window; vehicle: Vehicle; spot?: SpotState },
  ): Promise<Reservation> {
    const quote = await this.post<Schemas['Quote']>(
      '/quotes',
      { lot_id: booking.lot.id, vehicle_id: booking.vehicle.id, ...booking.window },
      person,
    )
    return this.post(
      '/reservations',
      {
        quote_id: quote.id,
        vehicle_id: booking.vehicle.id,
        spot_id: booking.spot?.id ?? null,
      },
      person,
    )
  }

  /** A paid booking. */
  async book(
    person: Person,
    booking: { lot: FoundLot; window: Window; vehicle: Vehicle; spot?: SpotState },
  ): Promise<Reservation> {
    const reservation = await this.hold(person, booking)
    const path = `/reservations/${String(reservation.id)}`
    await this.post(
      `${path}/payments`,
      { method: 'sandbox', card_number: '4242424242424242', expiry: '12/40', cvc: '123' },
      person,
    )
    return this.get(path, person)
  }

  async get<T>(path: string, person?: Person): Promise<T> {
    return read(await this.request.get(`/api/v1${path}`, { headers: headersOf(person) }))
  }

  async post<T>(path: string, data: unknown, person?: Person): Promise<T> {
    const headers = { ...headersOf(person), 'Idempotency-Key': randomBytes(12).toString('hex') }
    return read(await this.request.post(`/api/v1${path}`, { data, headers }))
  }

  async put<T>(path: string, data: unknown, person?: Person): Promise<T> {
    const headers = headersOf(person)
    return read(await this.request.put(`/api/v1${path}`, { data, headers }))
  }
}

function headersOf(person?: Person): Record<string, string> {
  return person ? { Authorization: `Bearer ${person.token}` } : {}
}

async function read<T>(answer: APIResponse): Promise<T> {
  expect(answer.ok(), `${answer.url()}: ${String(answer.status())} ${await answer.text()}`).toBe(
    true,
  )
  return (await answer.json()) as T
}
