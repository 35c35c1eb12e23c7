import { beforeAll } from 'vitest'
import { loadWords, startWords, type WordFile } from '@/i18n'

const screens: WordFile[] = [
  'auth',
  'find',
  'empty',
  'locate',
  'map',
  'when',
  'lot',
  'facts',
  'checkout',
  'bookings',
  'ticket',
  'stay',
  'waitlist',
  'reviews',
  'receipts',
  'links',
  'notifications',
  'reports',
  'vehicles',
  'profile',
  'identity',
  'security',
  'lists',
  'ops',
  'admin',
  'tariff',
  'closing',
  'desk',
  'money',
  'coupons',
  'moderation',
  'system',
  'work',
  'exports',
  'people',
  'audit',
]

beforeAll(async () => {
  await startWords()
  await Promise.all(screens.map(loadWords))
})
