import { beforeAll } from 'vitest'
import { loadWords, startWords, type WordFile } from '@/i18n'

const screens: WordFile[] = [
  'auth',
  'find',
  'when',
  'lot',
  'checkout',
  'bookings',
  'vehicles',
  'profile',
  'identity',
  'security',
  'lists',
  'admin',
  'people',
  'audit',
]

beforeAll(async () => {
  await startWords()
  await Promise.all(screens.map(loadWords))
})
