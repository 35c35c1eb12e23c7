import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Reservation } from '@/api/reservations'
import type { Review } from '@/api/reviews'
import type { Extension } from '@/api/stays'
import { aBooking, anEvent, aPayment, inHours } from '@/test/bookings'
import { dialog, press } from '@/test/dialog'
import { anEditedLot } from '@/test/admin-lots'
import { given, openPage, settled } from '@/test/page'
import { aVehicle } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import TicketView from '../TicketView.vue'

useServer()
enableAutoUnmount(afterEach)

const PATH = '*/api/v1/reservations/7'

/** The booking as the API has it now; what changes it answers with it. */
let booking: Reservation
let reviews: Review[]

/** A body that was sent, with the key that made it happen once. */
interface Sent {
  body: unknown
  key: string | null
}
let sent: Sent[]
async function keep(request: Request): Promise<void> {
  const text = await request.text()
  sent.push({
    body: text ? JSON.parse(text) : undefined,
    key: request.headers.get('Idempotency-Key'),
  })
}

beforeEach(() => {
  reviews = []
  sent = []
  server.use(
    http.get(PATH, () => HttpResponse.json(booking)),
    http.get(`${PATH}/ticket`, () =>
      HttpResponse.json({
        reservation_id: 7,
        code: booking.code,
        payload: 'a.b.c',
        valid_from: inHours(1.75),
        valid_until: inHours(4.2),
      }),
    ),
    http.get(`${PATH}/events`, () => HttpResponse.json({ items: [anEvent()] })),
    http.get('*/api/v1/payments', () =>
      HttpResponse.json({ items: [aPayment()], next_cursor: null, total: 1 }),
    ),
    http.get('*/api/v1/reviews', () =>
      HttpResponse.json({ items: reviews, next_cursor: null, total: reviews.length }),
    ),
    http.get('*/api/v1/lots/12', () => HttpResponse.json(anEditedLot())),
  )
})

async function open(change: Partial<Reservation>) {
  booking = aBooking(change)
  const { page } = await openPage(TicketView, '/bookings/7')
  await settled(() => page.text().includes('Activity'))
  await vi.dynamicImportSettled()
  await flushPromises()
  return page
}

/** Parked for an hour, with an hour to go. */
const parked: Partial<Reservation> = {
  status: 'checked_in',
  starts_at: inHours(-1),
  ends_at: inHours(1),
  stay: { entered_at: inHours(-1), left_at: null, stays: 1 },
}

const cancellation = {
  refund_minor: 300,
  kept_minor: 100,
  paid_minor: 400,
  percent: 75,
  currency: 'EUR',
  reason: 'policy',
  until: inHours(1),
}

describe('cancelling', () => {
  const open_ = async () => {
    const page = await open({ allowed_actions: ['cancel'] })
    press('Cancel booking')
    await settled(() => dialog()?.textContent?.includes('You get back') ?? false)
    return page
  }

  it('tells before what comes back, until when, and sends just that', async () => {
    server.use(
      http.get(`${PATH}/cancellation`, () => HttpResponse.json(cancellation)),
      http.post(`${PATH}/cancel`, async ({ request }) => {
        await keep(request)
        booking = aBooking({ status: 'cancelled', refunded_minor: 300 })
        return HttpResponse.json(booking)
      }),
    )
    const page = await open_()
    const told = given(dialog()).textContent
    expect(told).toMatch(/You get back\s*75 % of €4\.00\s*€3\.00/)
    expect(told).toMatch(/We keep\s*€1\.00/)
    expect(told).toContain('Less comes back from this moment on')
    expect(sent).toEqual([])
    press('Cancel, €3.00 back', given(dialog()))
    await settled(() => page.text().includes('This booking is cancelled'))
    expect(sent).toMatchObject([{ body: { expected_refund_minor: 300 } }])
    expect(sent[0]?.key).toMatch(/^[0-9a-f-]{36}$/)
    expect(page.text()).toContain('€3.00 goes back the way it was paid.')
  })

  it('asks once more when another amount would come back by now', async () => {
    let refund = 300
    server.use(
      http.get(`${PATH}/cancellation`, () =>
        HttpResponse.json({ ...cancellation, refund_minor: refund, percent: refund / 4 }),
      ),
      http.post(`${PATH}/cancel`, () => {
        refund = 200
        return refuse(409, 'refund-changed')
      }),
    )
    await open_()
    press('Cancel, €3.00 back', given(dialog()))
    await settled(() => dialog()?.textContent?.includes('has changed') ?? false)
    expect(dialog()?.textContent).toContain('It is €2.00 now.')
    await settled(() => dialog()?.textContent?.includes('Cancel, €2.00 back') ?? false)
    expect(dialog()?.textContent).toContain('Cancel, €2.00 back')
  })

  it('is not offered where the API does not allow it', async () => {
    const page = await open({ allowed_actions: [] })
    expect(page.text()).not.toContain('Cancel booking')
    expect(page.text()).not.toContain('Change your booking')
  })
})

describe('staying longer', () => {
  const previewOf = (change: Partial<Extension>) =>
    http.get(`${PATH}/extension`, ({ request }) => {
      const endsAt = given(new URL(request.url).searchParams.get('ends_at'))
      const minutes = (Date.parse(endsAt) - Date.parse(booking.ends_at)) / 60_000
      const due = minutes * 5
      return HttpResponse.json({
        ends_at: endsAt,
        price_minor: 400 + due,
        due_minor: due,
        currency: 'EUR',
        lines: [],
        available: true,
        spot: { id: 3, label: 'C05', level: 'B1', kind: 'standard' },
        moves_bay: false,
        longest_ends_at: null,
        ...change,
      })
    })
  const takeIt = () =>
    http.post(`${PATH}/extend`, async ({ request }) => {
      await keep(request)
      const { ends_at } = sent[0]?.body as { ends_at: string }
      booking = aBooking({ ...parked, ends_at, due_minor: 300, allowed_actions: ['pay', 'extend'] })
      return HttpResponse.json(booking)
    })
  const choice = (page: Awaited<ReturnType<typeof open>>, value: string) =>
    page.find(`.extend input[value=${value}]`)

  it('shows what each end costs, extends, and leads to what is due', async () => {
    server.use(previewOf({}), takeIt())
    const page = await open({ ...parked, allowed_actions: ['extend'] })
    await settled(() => page.text().includes('€3.00'))
    expect(page.find('.extend').text()).toMatch(/\+30 min\s*till .*€1\.50.*\+1 h\s*till .*€3\.00/s)
    await choice(page, 'hour').setValue(true)
    await settled(() => /Extend to .* for €3\.00/.test(page.text()))
    const button = given(page.findAll('button').find((each) => each.text().startsWith('Extend to')))
    await button.trigger('click')
    await settled(() => page.text().includes('To pay: €3.00'))
    expect(sent).toMatchObject([
      {
        body: {
          ends_at: new Date(Date.parse(given(parked.ends_at)) + 3_600_000)
            .toISOString()
            .replace('.000Z', 'Z'),
        },
      },
    ])
    await settled(() => document.activeElement?.id === 'due-title')
    expect(document.activeElement?.textContent).toBe('To pay: €3.00')
  })

  it('offers another bay when its own is taken, and names it in what it sends', async () => {
    server.use(
      previewOf({
        moves_bay: true,
        spot: { id: 8, label: 'D02', level: 'B2', kind: 'standard' },
      }),
      takeIt(),
    )
    const page = await open({ ...parked, allowed_actions: ['extend'] })
    await settled(() => page.text().includes('Bay C05 is taken after that'))
    expect(page.text()).toContain('Bay D02 on level B2 is free all the time. Please move your car')
    await given(page.findAll('button').find((each) => each.text().includes('in bay D02'))).trigger(
      'click',
    )
    await settled(() => sent.length > 0)
    expect(sent).toMatchObject([{ body: { spot_id: 8 } }])
  })

  it('says how long at most when nothing is free for so long, and takes that at a tap', async () => {
    const longest = new Date(Date.parse(given(parked.ends_at)) + 20 * 60_000).toISOString()
    server.use(
      http.get(`${PATH}/extension`, ({ request }) => {
        const endsAt = given(new URL(request.url).searchParams.get('ends_at'))
        return HttpResponse.json({
          ends_at: endsAt,
          price_minor: 500,
          due_minor: 100,
          currency: 'EUR',
          lines: [],
          available: Date.parse(endsAt) <= Date.parse(longest),
          spot: null,
          moves_bay: false,
          longest_ends_at: longest,
        })
      }),
    )
    const page = await open({ ...parked, allowed_actions: ['extend'] })
    await settled(() => page.text().includes('Your bay is taken after that'))
    expect(page.text()).toContain('The latest end that can be had')
    expect(page.text()).not.toMatch(/Extend to/)
    await given(page.findAll('button').find((each) => each.text().startsWith('Until'))).trigger(
      'click',
    )
    await settled(() => /Extend to .* for €1\.00/.test(page.text()))
    expect(page.text()).toMatch(/Extend to .* for €1\.00/)
  })

  it('keeps a refusal in its place', async () => {
    server.use(
      previewOf({}),
      http.post(`${PATH}/extend`, () => refuse(409, 'extension-blocked', 'Somebody was faster.')),
    )
    const page = await open({ ...parked, allowed_actions: ['extend'] })
    await settled(() => /Extend to/.test(page.text()))
    await given(page.findAll('button').find((each) => each.text().startsWith('Extend to'))).trigger(
      'click',
    )
    await settled(() => page.text().includes('Somebody was faster.'))
    expect(page.find('.extend [role=alert]').text()).toContain('It could not be extended')
  })
})

describe('money that is due', () => {
  it('is paid in its place, and said so', async () => {
    server.use(
      http.post(`${PATH}/payments`, async ({ request }) => {
        await keep(request)
        booking = aBooking({ ...parked, due_minor: 0 })
        return HttpResponse.json(aPayment({ amount_minor: 300 }))
      }),
    )
    const page = await open({ ...parked, due_minor: 300, allowed_actions: ['pay'] })
    await settled(() => page.find('.due').exists())
    expect(page.find('.due').text()).toContain('To pay: €3.00')
    press('Pay €3.00')
    await settled(() => page.find('input[name=card_number]').exists())
    await page.find('input[name=card_number]').setValue('4242 4242 4242 4242')
    await page.find('input[name=expiry]').setValue('12/40')
    await page.find('input[name=cvc]').setValue('123')
    await page.find('form#due-form').trigger('submit')
    await settled(() => !page.find('.due').exists())
    expect(sent).toMatchObject([{ body: { method: 'sandbox' } }])
    expect(page.find('.due').exists()).toBe(false)
  })

  it('runs on while the booked time is over', async () => {
    const page = await open({
      ...parked,
      status: 'overstayed',
      ends_at: inHours(-0.5),
      due_minor: 250,
      overstay: { since: inHours(-0.5), due_minor: 250 },
      allowed_actions: ['pay'],
    })
    await settled(() => page.find('.due').exists())
    expect(page.find('.due').text()).toMatch(/Over time since .*So far €2\.50 is to pay/)
    expect(page.find('.due').attributes('data-tone')).toBe('bad')
  })

  it('tells until when leaving costs nothing more, in the grace after the end', async () => {
    const page = await open({ ...parked, ends_at: inHours(-0.05) })
    await settled(() => page.find('.due').text().includes('Please drive out by'))
    expect(page.find('.due').text()).toContain('Please drive out by')
    expect(page.find('.due').text()).not.toContain('Pay €')
  })

  it('of a stay that was left unpaid keeps its driver from booking, and says so', async () => {
    const page = await open({
      status: 'completed',
      starts_at: inHours(-4),
      ends_at: inHours(-2),
      due_minor: 250,
      debt_minor: 250,
      allowed_actions: ['pay'],
    })
    await settled(() => page.find('.due').exists())
    expect(page.find('.due').text()).toContain('You left with €2.50 open')
    expect(page.find('.due').text()).toContain('you cannot book anything new')
    expect(page.find('article').text()).toContain('Not all paid')
  })
})

describe('at the gate', () => {
  it('checks in, where drivers may', async () => {
    server.use(
      http.post(`${PATH}/check-in`, () => {
        booking = aBooking({ ...parked, allowed_actions: ['check-out'] })
        return HttpResponse.json(booking)
      }),
    )
    const page = await open({ allowed_actions: ['check-in'] })
    await settled(() => page.text().includes('At the car park?'))
    press('Check in')
    await settled(() => page.text().includes('Leaving now?'))
    expect(page.text()).toContain('You would pay nothing more.')
    expect(page.find('article').text()).toMatch(/gate in/)
  })

  it('says why the exit stays shut', async () => {
    server.use(http.post(`${PATH}/check-out`, () => refuse(409, 'payment-due', 'Pay €2.50 first.')))
    const page = await open({
      ...parked,
      due_minor: 250,
      allowed_actions: ['check-out', 'pay'],
    })
    await settled(() => page.text().includes('€2.50 is to pay first.'))
    press('Check out')
    await settled(() => page.text().includes('The exit stays shut for now'))
    expect(page.text()).toContain('Pay €2.50 first.')
  })
})

describe('changing', () => {
  it('takes another vehicle, and puts a refusal at the field', async () => {
    let isBooked = true
    server.use(
      http.get('*/api/v1/vehicles', () =>
        HttpResponse.json({
          items: [aVehicle(), aVehicle({ id: 5, plate: 'DDXY99', is_default: false })],
          next_cursor: null,
          total: 2,
        }),
      ),
      http.patch(PATH, async ({ request }) => {
        await keep(request)
        if (isBooked) return refuse(409, 'vehicle-already-booked', 'DDXY99 is booked then.')
        booking = aBooking({ vehicle: { ...booking.vehicle, id: 5, plate: 'DDXY99' } })
        return HttpResponse.json(booking)
      }),
    )
    const page = await open({ allowed_actions: ['change-vehicle'] })
    press('Another vehicle')
    await settled(() => Boolean(dialog()?.querySelector('select')))
    expect(dialog()?.querySelectorAll('option')).toHaveLength(1)
    press('Take this vehicle', given(dialog()))
    await settled(() => dialog()?.textContent?.includes('DDXY99 is booked then.') ?? false)
    expect(dialog()?.querySelector('select')?.getAttribute('aria-invalid')).toBe('true')
    isBooked = false
    press('Take this vehicle', given(dialog()))
    await settled(() => page.find('article').text().includes('DDXY99'))
    expect(sent).toMatchObject([{ body: { vehicle_id: 5 } }, { body: { vehicle_id: 5 } }])
    expect(dialog()).toBeNull()
  })

  it('moves to another time with the difference told before', async () => {
    server.use(
      http.get('*/api/v1/lots/availability', () => HttpResponse.json({ items: [] })),
      http.get(`${PATH}/rescheduling`, () =>
        HttpResponse.json({
          price_minor: 300,
          due_minor: 0,
          refund_minor: 75,
          currency: 'EUR',
          lines: [],
          available: true,
        }),
      ),
      http.post(`${PATH}/reschedule`, async ({ request }) => {
        await keep(request)
        booking = aBooking({ price_minor: 300 })
        return HttpResponse.json(booking)
      }),
    )
    await open({ starts_at: inHours(30), ends_at: inHours(32), allowed_actions: ['reschedule'] })
    press('Another time')
    await settled(() => dialog()?.textContent?.includes('This is when it is booked now.') ?? false)
    const hour = given(
      [...given(dialog()).querySelectorAll('label')].find(
        (each) => each.textContent?.trim() === '1 h',
      ),
    )
    hour.querySelector('input')?.click()
    await settled(() => dialog()?.textContent?.includes('€0.75 goes back to you') ?? false)
    expect(dialog()?.textContent).toMatch(/New price\s*€3\.00/)
    press('Take the new time', given(dialog()))
    await settled(() => sent.length > 0)
    expect(sent).toMatchObject([
      { body: { starts_at: expect.any(String), ends_at: expect.any(String) } },
    ])
  })

  it('reports a taken bay after a question, and tells the new one', async () => {
    server.use(
      http.post(`${PATH}/report-occupied`, () => {
        booking = aBooking({ spot: { ...booking.spot, label: 'C09' } })
        return HttpResponse.json(booking)
      }),
    )
    const page = await open({ allowed_actions: ['report-occupied'] })
    press('My bay is taken')
    await settled(() => dialog() !== null)
    expect(dialog()?.textContent).toContain('Is somebody in bay C05?')
    press('Yes, it is taken', given(dialog()))
    await settled(() => page.find('article').text().includes('C09'))
    expect(dialog()).toBeNull()
  })
})

describe('a review', () => {
  const over: Partial<Reservation> = {
    status: 'completed',
    starts_at: inHours(-4),
    ends_at: inHours(-2),
  }
  const aReview = (change: Partial<Review> = {}): Review => ({
    id: 5,
    author: 'Asha Rao',
    stars: 4,
    text: 'Easy to find.',
    created_at: inHours(-1),
    edited_at: null,
    reply: null,
    replied_at: null,
    lot: { id: 12, name: 'Altmarkt' },
    reservation_id: 7,
    code: 'VV-8F3K-29QX',
    status: 'published',
    hidden_reason: null,
    editable_until: inHours(300),
    ...change,
  })

  it('is asked for after the stay, wants stars, and stands there then', async () => {
    server.use(
      http.post('*/api/v1/lots/12/reviews', async ({ request }) => {
        await keep(request)
        reviews = [aReview()]
        booking = aBooking(over)
        return HttpResponse.json(reviews[0], { status: 201 })
      }),
    )
    const page = await open({ ...over, allowed_actions: ['review'] })
    await settled(() => page.text().includes('How was it?'))
    press('Publish review')
    await settled(() => page.text().includes('Choose one to five stars.'))
    await page.find('input[type=radio][value="4"]').setValue(true)
    await page.find('textarea').setValue('Easy to find.')
    press('Publish review')
    await settled(() => page.text().includes('Your review'))
    expect(sent).toMatchObject([{ body: { reservation_id: 7, stars: 4, text: 'Easy to find.' } }])
    expect(page.find('[aria-label="4 of 5 stars"]').exists()).toBe(true)
  })

  it('is changed and taken back by its author, and shows the answer', async () => {
    reviews = [aReview({ reply: 'Thank you!' })]
    server.use(
      http.patch('*/api/v1/reviews/5', async ({ request }) => {
        await keep(request)
        reviews = [aReview({ stars: 2 })]
        return HttpResponse.json(reviews[0])
      }),
      http.delete('*/api/v1/reviews/5', () => {
        reviews = []
        booking = aBooking({ ...over, allowed_actions: ['review'] })
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const page = await open(over)
    await settled(() => page.text().includes('Thank you!'))
    press('Edit')
    await settled(() => page.find('textarea').exists())
    await page.find('input[type=radio][value="2"]').setValue(true)
    press('Save changes')
    await settled(() => page.find('[aria-label="2 of 5 stars"]').exists())
    expect(sent).toMatchObject([{ body: { stars: 2, text: 'Easy to find.' } }])
    press('Delete')
    await settled(() => dialog() !== null)
    press('Delete', given(dialog()))
    await settled(() => page.text().includes('How was it?'))
    expect(page.text()).toContain('How was it?')
  })

  it('that was hidden says why, and stays as it is', async () => {
    reviews = [aReview({ status: 'hidden', hidden_reason: 'It names a person.' })]
    const page = await open(over)
    await settled(() => page.text().includes('It names a person.'))
    expect(page.text()).not.toContain('Edit')
  })
})

describe('papers', () => {
  it('saves ticket, calendar entry and credit notes under their names', async () => {
    const names: string[] = []
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      names.push(this.download)
    })
    const file = () => new HttpResponse('x')
    server.use(
      http.get('*/api/v1/payments', () =>
        HttpResponse.json({
          items: [aPayment({ status: 'partially_refunded', refunded_minor: 100 })],
          next_cursor: null,
          total: 1,
        }),
      ),
      http.get('*/api/v1/payments/21/refunds', () =>
        HttpResponse.json({
          items: [
            {
              id: 3,
              payment_id: 21,
              reservation_id: 7,
              amount_minor: 100,
              currency: 'EUR',
              status: 'succeeded',
              cause: 'goodwill',
              reason: '',
              credit_note_number: 'C-2026-000003',
              created_at: inHours(-1),
              settled_at: inHours(-1),
            },
          ],
        }),
      ),
      http.get(`${PATH}/ticket.pdf`, file),
      http.get(`${PATH}/calendar.ics`, file),
      http.get('*/api/v1/refunds/3/credit-note.pdf', file),
    )
    const page = await open({ refunded_minor: 100 })
    await settled(() => page.text().includes('C-2026-000003, €1.00'))
    press('Ticket as PDF')
    await settled(() => names.length === 1)
    press('Add to calendar')
    await settled(() => names.length === 2)
    press('Download credit note C-2026-000003')
    await settled(() => names.length === 3)
    expect(names).toEqual([
      'ticket-VV-8F3K-29QX.pdf',
      'parking-VV-8F3K-29QX.ics',
      'C-2026-000003.pdf',
    ])
  })
})

it.each([
  [false, 'May still change'],
  [true, 'Final'],
])('says of the bay before the start whether it is final: %s', async (bay_final, said) => {
  const page = await open({ bay_final })
  expect(page.find('article').text()).toContain(said)
})
