import type { SignIn, User } from '@/api/auth'
import type { Vehicle } from '@/api/vehicles'

/** A driver, unless told otherwise. */
export function aUser(change: Partial<User> = {}): User {
  return {
    id: 1,
    email: 'asha@example.com',
    name: 'Asha Rao',
    phone: null,
    roles: ['driver'],
    active: true,
    created_at: '2026-01-05T10:00:00Z',
    timezone: 'Europe/Berlin',
    locale: 'en-IE',
    ...change,
  }
}

/** What a browser gets for a right password. */
export function aSignIn(token = 'token-1', user = aUser()): SignIn {
  return {
    access_token: token,
    refresh_token: null,
    token_type: 'Bearer',
    expires_in: 900,
    user,
  }
}

/** The driver's first vehicle, unless told otherwise. */
export function aVehicle(change: Partial<Vehicle> = {}): Vehicle {
  return {
    id: 4,
    plate: 'DDAB1234',
    kind: 'car',
    electric: false,
    height_cm: null,
    label: '',
    make: 'Volkswagen',
    model: 'Golf',
    colour: 'black',
    is_default: true,
    ...change,
  }
}
