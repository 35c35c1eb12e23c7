import type { SignIn, User } from '@/api/auth'
import type { SignInSession } from '@/api/security'
import type { Account } from '@/api/users'
import type { Vehicle } from '@/api/vehicles'

/** A driver, unless told otherwise. */
export function aUser(change: Partial<User> = {}): User {
  return {
    id: 1,
    email: 'asha@example.com',
    name: 'Asha Rao',
    phone: null,
    tax_id: null,
    roles: ['driver'],
    active: true,
    created_at: '2026-01-05T10:00:00Z',
    timezone: 'Europe/Berlin',
    locale: 'en-IE',
    accessible_permit: false,
    ...change,
  }
}

/** The same as admins see them. */
export function anAccount(change: Partial<Account> = {}): Account {
  return {
    ...aUser(),
    second_factor: false,
    last_sign_in_at: '2026-11-25T08:30:00Z',
    deleted_at: null,
    ...change,
  }
}

/** A sign-in by Firefox on Windows elsewhere, unless told otherwise. */
export function aSession(change: Partial<SignInSession> = {}): SignInSession {
  return {
    id: 31,
    current: false,
    user_agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
    client: '192.0.2.7',
    created_at: '2026-11-20T08:00:00Z',
    refreshed_at: '2026-11-25T17:45:00Z',
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
