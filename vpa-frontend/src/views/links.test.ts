import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it } from 'vitest'
import type { Look } from '@/api/links'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import ActView from './ActView.vue'
import UnsubscribeView from './UnsubscribeView.vue'

useServer()
enableAutoUnmount(afterEach)

const BOOKING: Look['reservation'] = {
  code: 'VV-8F3K-29QX',
  lot: 'Altmarkt',
  address: 'Wilsdruffer Straße 1, Dresden',
  lat: 51.05,
  lng: 13.74,
  bay: 'B08',
  level: '1',
  starts_at: '2026-11-26T10:00:00Z',
  ends_at: '2026-11-26T12:00:00Z',
  timezone: 'Europe/Berlin',
  status: 'checked_in',
}

const look = (action: Look['action'], more: Partial<Look> = {}): Look => ({
  action,
  reservation: BOOKING,
  done: false,
  can_act: true,
  why_not: null,
  longest_ends_at: null,
  extension: null,
  cancellation: null,
  ...more,
})

const LONGER = look('extend', {
  extension: {
    ends_at: '2026-11-26T12:30:00Z',
    price_minor: 600,
    due_minor: 200,
    currency: 'EUR',
  },
})
const CANCELLED = look('cancel', {
  cancellation: { refund_minor: 300, kept_minor: 100, currency: 'EUR' },
})

/** What was sent, in order. */
const sent: object[] = []
afterEach(() => {
  sent.length = 0
})

function answer(verb: 'look' | 'act', reply: () => Response): void {
  server.use(
    http.post(`*/api/v1/links/${verb}`, async ({ request }) => {
      sent.push({ [verb]: await request.json() })
      return reply()
    }),
  )
}

const says = (told: Look) => () => HttpResponse.json(told)
const isGone = (reason: string) => () =>
  HttpResponse.json({ type: '/problems/link-not-valid', status: 410, reason }, { status: 410 })

describe('a link that extends', () => {
  it('tells the price before the tap, does it once, and leaves no token in the address', async () => {
    answer('look', says(LONGER))
    answer('act', says({ ...LONGER, done: true, can_act: false }))
    const { page, router } = await openPage(ActView, '/act#token=a.b.c')
    await settled(() => page.text().includes('Stay until'))
    expect(router.currentRoute.value.fullPath).toBe('/act')
    expect(page.text()).toMatch(/Altmarkt.*B08, level 1.*VV-8F3K-29QX.*€6\.00.*€2\.00/s)
    const button = page.get('button')
    expect(button.text()).toMatch(/Stay until .* for €2\.00/)
    expect(sent).toEqual([{ look: { token: 'a.b.c' } }])
    await button.trigger('click')
    await settled(() => page.text().includes('You can stay until'))
    expect(sent.slice(1)).toEqual([{ act: { token: 'a.b.c' } }])
    expect(page.text()).toContain('€2.00 is due before you leave.')
    expect(page.find('button').exists()).toBe(false)
    expect(document.activeElement?.textContent).toContain('You can stay until')
  })

  it('says that the bay is taken, and until when it is free', async () => {
    answer(
      'look',
      says({
        ...LONGER,
        can_act: false,
        why_not: 'bay_taken',
        longest_ends_at: '2026-11-26T12:15:00Z',
      }),
    )
    const { page } = await openPage(ActView, '/act#token=a.b.c')
    await settled(() => page.text().includes('Your bay is taken'))
    expect(page.text()).toMatch(/It is free until .*13:15/)
    expect(page.find('button').exists()).toBe(false)
  })

  it('says that the car park closes', async () => {
    answer('look', says({ ...LONGER, can_act: false, why_not: 'lot_not_open', extension: null }))
    const { page } = await openPage(ActView, '/act#token=a.b.c')
    await settled(() => page.text().includes('The car park closes before that'))
    expect(page.find('button').exists()).toBe(false)
  })

  it('says why it was refused, and shows what is so now', async () => {
    answer('look', says(LONGER))
    answer('act', () => refuse(409, 'extension-blocked', 'Bay B08 is taken by then.'))
    const { page } = await openPage(ActView, '/act#token=a.b.c')
    await settled(() => page.find('button').exists())
    await page.get('button').trigger('click')
    await settled(() => page.text().includes('Bay B08 is taken by then.'))
    expect(sent.map((each) => Object.keys(each)[0])).toEqual(['look', 'act', 'look'])
  })
})

describe('a link that cancels', () => {
  it('names the money on its button, and sends what was told', async () => {
    answer('look', says(CANCELLED))
    answer('act', says({ ...CANCELLED, done: true, can_act: false }))
    const { page } = await openPage(ActView, '/act#token=a.b.c')
    await settled(() => page.find('button').exists())
    expect(page.get('button').text()).toBe('Cancel and get €3.00 back')
    await page.get('button').trigger('click')
    await settled(() => page.text().includes('The booking is cancelled'))
    expect(sent[1]).toEqual({ act: { token: 'a.b.c', expected_refund_minor: 300 } })
    expect(page.text()).toContain('€3.00 goes back the way you paid.')
  })

  it('asks once more when another amount would come back', async () => {
    let back = 300
    answer('look', () =>
      HttpResponse.json({
        ...CANCELLED,
        cancellation: { refund_minor: back, kept_minor: 400 - back, currency: 'EUR' },
      }),
    )
    answer('act', () => {
      back = 200
      return refuse(409, 'refund-changed')
    })
    const { page } = await openPage(ActView, '/act#token=a.b.c')
    await settled(() => page.find('button').exists())
    await page.get('button').trigger('click')
    await settled(() => page.text().includes('By now €2.00 comes back.'))
    expect(page.get('button').text()).toBe('Cancel and get €2.00 back')
  })
})

it('shows the way on a map, and does nothing', async () => {
  answer('look', says(look('directions', { can_act: false })))
  const { page } = await openPage(ActView, '/act#token=a.b.c')
  await settled(() => page.text().includes('The way to Altmarkt'))
  const way = page.findAll('a').find((link) => link.text().includes('Show the way'))
  expect(given(way).attributes('href')).toContain('51.05')
  expect(page.find('button').exists()).toBe(false)
})

it.each([
  ['expired', 'The time of the booking is over.'],
  ['changed', 'The booking has another time by now.'],
  ['over', 'this cannot be done any more'],
  ['unknown', 'none of ours'],
])('says why a link is %s', async (reason, words) => {
  answer('look', isGone(reason))
  const { page } = await openPage(ActView, '/act#token=a.b.c')
  await settled(() => page.text().includes(words))
  expect(page.text()).toContain('This link does not work any more')
  expect(page.find('button').exists()).toBe(false)
})

it('asks nothing without a token', async () => {
  const { page } = await openPage(ActView, '/act')
  expect(page.text()).toContain('none of ours')
  expect(sent).toEqual([])
})

describe('the foot of a mail', () => {
  it('switches its kind off by one tap, and not before', async () => {
    const asked: string[] = []
    server.use(
      http.post('*/api/v1/unsubscribe', ({ request }) => {
        asked.push(new URL(request.url).search)
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const { page, router } = await openPage(UnsubscribeView, '/unsubscribe#token=d.e.f')
    await settled(() => router.currentRoute.value.hash === '')
    expect(asked).toEqual([])
    await page.get('button').trigger('click')
    await settled(() => page.text().includes('You get no more of these mails'))
    expect(asked).toEqual(['?token=d.e.f'])
  })

  it.each(['/unsubscribe#token=d.e.f', '/unsubscribe'])('says that %s is none', async (path) => {
    server.use(http.post('*/api/v1/unsubscribe', () => refuse(410, 'link-not-valid')))
    const { page } = await openPage(UnsubscribeView, path)
    if (page.find('button').exists()) await page.get('button').trigger('click')
    await settled(() => page.text().includes('This link does not work'))
    expect(page.text()).toContain('choose your mails in your profile')
  })
})
