import i18next from 'i18next'
import common from './en/common'

/** A file of words; every screen has its own, which comes with the screen. */
export interface Words {
  common: typeof common
  auth: typeof import('./en/auth').default
  find: typeof import('./en/find').default
  empty: typeof import('./en/empty').default
  locate: typeof import('./en/locate').default
  map: typeof import('./en/map').default
  when: typeof import('./en/when').default
  lot: typeof import('./en/lot').default
  facts: typeof import('./en/facts').default
  checkout: typeof import('./en/checkout').default
  bookings: typeof import('./en/bookings').default
  ticket: typeof import('./en/ticket').default
  stay: typeof import('./en/stay').default
  waitlist: typeof import('./en/waitlist').default
  reviews: typeof import('./en/reviews').default
  receipts: typeof import('./en/receipts').default
  links: typeof import('./en/links').default
  notifications: typeof import('./en/notifications').default
  reports: typeof import('./en/reports').default
  vehicles: typeof import('./en/vehicles').default
  profile: typeof import('./en/profile').default
  identity: typeof import('./en/identity').default
  security: typeof import('./en/security').default
  lists: typeof import('./en/lists').default
  ops: typeof import('./en/ops').default
  admin: typeof import('./en/admin').default
  tariff: typeof import('./en/tariff').default
  closing: typeof import('./en/closing').default
  desk: typeof import('./en/desk').default
  money: typeof import('./en/money').default
  coupons: typeof import('./en/coupons').default
  moderation: typeof import('./en/moderation').default
  system: typeof import('./en/system').default
  work: typeof import('./en/work').default
  exports: typeof import('./en/exports').default
  people: typeof import('./en/people').default
  audit: typeof import('./en/audit').default
  gate: typeof import('./en/gate').default
  gallery: typeof import('./en/gallery').default
}

export type WordFile = Exclude<keyof Words, 'common'>

/** What fetches some of the files. */
export type Fetch<Name extends WordFile> = {
  [Each in Name]: () => Promise<{ default: Words[Each] }>
}

/** Those of pages that many open first; `later` knows the others, and comes with the first of them. */
const first = {
  auth: () => import('./en/auth'),
  find: () => import('./en/find'),
  when: () => import('./en/when'),
  lot: () => import('./en/lot'),
  bookings: () => import('./en/bookings'),
  ticket: () => import('./en/ticket'),
  vehicles: () => import('./en/vehicles'),
  profile: () => import('./en/profile'),
  identity: () => import('./en/identity'),
  security: () => import('./en/security'),
} satisfies Partial<Fetch<WordFile>>

export type LaterFile = Exclude<WordFile, keyof typeof first>

const isFirst = (name: WordFile): name is keyof typeof first => name in first

async function fetchWords(name: WordFile): Promise<{ default: object }> {
  return isFirst(name) ? first[name]() : (await import('./later')).later[name]()
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
export async function loadWords(name: WordFile): Promise<void> {
  if (i18next.hasResourceBundle('en', name)) return
  i18next.addResourceBundle('en', name, (await fetchWords(name)).default)
}

/** Loads a part of a page together with the words that it needs beside those of the page. */
export const withWords =
  <Module>(load: () => Promise<Module>, ...words: WordFile[]) =>
  async (): Promise<Module> =>
    (await Promise.all([load(), ...words.map(loadWords)]))[0]
