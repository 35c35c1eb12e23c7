import i18next from 'i18next'
import common from './en/common'

/** A file of words; every screen has its own, which comes with the screen. */
export interface Words {
  common: typeof common
  auth: typeof import('./en/auth').default
  find: typeof import('./en/find').default
  when: typeof import('./en/when').default
  lot: typeof import('./en/lot').default
  checkout: typeof import('./en/checkout').default
  bookings: typeof import('./en/bookings').default
  vehicles: typeof import('./en/vehicles').default
  profile: typeof import('./en/profile').default
  identity: typeof import('./en/identity').default
  security: typeof import('./en/security').default
  lists: typeof import('./en/lists').default
  admin: typeof import('./en/admin').default
  people: typeof import('./en/people').default
  audit: typeof import('./en/audit').default
  gallery: typeof import('./en/gallery').default
}

const files: { [Name in Exclude<keyof Words, 'common'>]: () => Promise<{ default: Words[Name] }> } =
  {
    auth: () => import('./en/auth'),
    find: () => import('./en/find'),
    when: () => import('./en/when'),
    lot: () => import('./en/lot'),
    checkout: () => import('./en/checkout'),
    bookings: () => import('./en/bookings'),
    vehicles: () => import('./en/vehicles'),
    profile: () => import('./en/profile'),
    identity: () => import('./en/identity'),
    security: () => import('./en/security'),
    lists: () => import('./en/lists'),
    admin: () => import('./en/admin'),
    people: () => import('./en/people'),
    audit: () => import('./en/audit'),
    gallery: () => import('./en/gallery'),
  }

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: Words
  }
}

export async function startWords(): Promise<void> {
  await i18next.init({
    lng: 'en',
    fallbackLng: 'en',
    defaultNS: 'common',
    resources: { en: { common } },
    // Vue escapes what it shows.
    interpolation: { escapeValue: false },
  })
}

/** Brings a screen's words, once. */
export async function loadWords(name: keyof typeof files): Promise<void> {
  if (i18next.hasResourceBundle('en', name)) return
  i18next.addResourceBundle('en', name, (await files[name]()).default)
}

export type WordFile = keyof typeof files
