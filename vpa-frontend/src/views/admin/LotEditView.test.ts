import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TariffCreate } from '@/api/admin-lots'
import type { Lot } from '@/api/lots'
import { anEditedLot, aTariff } from '@/test/admin-lots'
import { aBay } from '@/test/bays'
import { given, openPage, settled } from '@/test/page'
import { anAccount } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import LotEditView from './LotEditView.vue'

useServer()
enableAutoUnmount(afterEach)

/** The lot as the server has it; each change of it has another tag. */
let lot: Lot
let version: number
const sent: unknown[] = []
const tag = () => `"v${String(version)}"`
const answer = () => HttpResponse.json(lot, { headers: { ETag: tag() } })

beforeEach(() => {
  lot = anEditedLot()
  version = 1
  sent.length = 0
  server.use(
    http.get('*/api/v1/lots/12', answer),
    http.patch('*/api/v1/lots/12', async ({ request }) => {
      if (request.headers.get('If-Match') !== tag()) return refuse(412, 'precondition-failed')
      const body = (await request.json()) as Partial<Lot>
      sent.push(body)
      changeElsewhere(body)
      return answer()
    }),
    http.get('*/api/v1/lots/12/spots', () => HttpResponse.json({ items: [aBay()] })),
    http.get('*/api/v1/lots/12/closures', () => HttpResponse.json({ items: [] })),
    http.get('*/api/v1/lots/12/tariffs', () =>
      HttpResponse.json({ items: [], next_cursor: null, total: 0 }),
    ),
  )
})

function changeElsewhere(change: Partial<Lot>): void {
  lot = { ...lot, ...change }
  version += 1
}

async function open(part = '') {
  const { page } = await openPage(LotEditView, `/admin/lots/12${part && `?part=${part}`}`)
  await settled(() => page.text().includes(lot.name) && page.find('form').exists())
  const input = (name: string) => page.find<HTMLInputElement>(`input[name="${name}"]`)
  const submit = async (until: () => boolean) => {
    await page.find('form').trigger('submit')
    await settled(until)
  }
  return { page, input, submit }
}

describe('LotEditView', () => {
  it('saves only what was changed, in the state in which it was read', async () => {
    const { input, submit } = await open()
    await input('name').setValue('Neumarkt')
    await submit(() => sent.length > 0)
    expect(sent).toEqual([{ name: 'Neumarkt' }])
  })

  it('says that somebody else changed the lot, keeps what was typed, and then saves it', async () => {
    const { page, input, submit } = await open()
    await input('name').setValue('Mine')
    await input('address').setValue('My street 5')
    changeElsewhere({ name: 'Theirs', height_limit_cm: 190 })
    await submit(() => page.text().includes('Somebody else'))
    expect(sent).toEqual([])
    expect(page.text()).toContain('Name: they saved “Theirs”, you typed “Mine”')
    expect(input('name').element.value).toBe('Mine')
    expect(input('address').element.value).toBe('My street 5')
    expect(input('height_limit_cm').element.value).toBe('190')
    await submit(() => sent.length > 0)
    expect(sent).toEqual([{ name: 'Mine', address: 'My street 5' }])
    expect(lot.height_limit_cm).toBe(190)
  })

  it('takes all of theirs when that is wished', async () => {
    const { page, input, submit } = await open()
    await input('name').setValue('Mine')
    changeElsewhere({ name: 'Theirs' })
    await submit(() => page.text().includes('Somebody else'))
    await given(
      page.findAll('button').find((each) => each.text() === 'Take all of theirs'),
    ).trigger('click')
    expect(input('name').element.value).toBe('Theirs')
    expect(page.text()).not.toContain('Somebody else')
  })

  it('saves at once when only bays were added meanwhile', async () => {
    const { page, input, submit } = await open()
    await input('name').setValue('Mine')
    changeElsewhere({ capacity: 24 })
    await submit(() => sent.length > 0)
    expect(sent).toEqual([{ name: 'Mine' }])
    expect(page.text()).not.toContain('Somebody else')
  })

  it('tells at the field what is wrong with opening hours, and sends nothing', async () => {
    const { page, input, submit } = await open()
    await input('opening_hours').setValue('whenever')
    await submit(() => page.find('[aria-invalid="true"]').exists())
    expect(input('opening_hours').attributes('aria-invalid')).toBe('true')
    expect(page.text()).toContain('“whenever” cannot be read')
    expect(sent).toEqual([])
  })

  it('leads a draft to what it lacks', async () => {
    lot = anEditedLot({ status: 'draft', capacity: 0, tariff: null })
    const { page } = await open()
    expect(page.text()).toContain('3 steps left')
    expect(page.text()).toContain('No bays yet')
    expect(page.text()).toContain('No published tariff')
    expect(page.text()).toContain('Not open yet')
    const add = page.findAll('a').find((each) => each.text() === 'Add bays')
    expect(add?.attributes('href')).toBe('/admin/lots/12?part=bays')
  })

  it('says which labels of a row are taken, and keeps the row', async () => {
    server.use(
      http.post('*/api/v1/lots/12/spots', () =>
        HttpResponse.json(
          { type: '/problems/label-taken', status: 409, labels: ['A01', 'A02'], total: 9 },
          { status: 409 },
        ),
      ),
    )
    const { page } = await open('bays')
    await settled(() => page.find('input[name="prefix"]').exists())
    expect(page.text()).toContain('A01 … A12, 12 bays')
    const row = given(page.findAll('form').find((each) => each.find('[name="prefix"]').exists()))
    await row.trigger('submit')
    await settled(() => page.text().includes('taken'))
    expect(page.text()).toContain('These labels are taken: A01, A02 and 7 more')
    expect(page.find<HTMLInputElement>('input[name="to"]').element.value).toBe('12')
  })

  it('drafts a tariff in minor units and publishes it', async () => {
    const asked: unknown[] = []
    server.use(
      http.post('*/api/v1/lots/12/tariffs', async ({ request }) => {
        expect(request.headers.get('Idempotency-Key')).toBeTruthy()
        asked.push(await request.json())
        return HttpResponse.json(aTariff({ id: 9, status: 'draft' }), { status: 201 })
      }),
      http.post('*/api/v1/tariffs/9/publish', () => {
        asked.push('published')
        return HttpResponse.json(aTariff({ id: 9 }))
      }),
    )
    const { page } = await open('tariff')
    const button = (name: string) => page.findAll('button').find((each) => each.text() === name)
    await settled(() => button('Set prices') !== undefined)
    await given(button('Set prices')).trigger('click')
    await settled(() => page.find('.tariff-form').exists())
    await page.find('input[name="increments.0.amount"]').setValue('2,50')
    await page.find('input[name="day_cap"]').setValue('18')
    await given(button('Publish now')).trigger('click')
    await page.find('.tariff-form').trigger('submit')
    await settled(() => asked.includes('published'))
    expect(asked).toEqual([
      {
        name: 'Day tariff',
        increments: [{ minutes: 60, amount_minor: 250 }],
        billing_step_minutes: 15,
        free_minutes: 0,
        minimum_minor: null,
        day_cap_minor: 1800,
        day_start_minutes: 0,
        week_cap_minor: null,
        holiday_region: null,
        kind_rules: [],
        day_rules: [],
        bands: [],
        tax_inclusive: true,
      },
      'published',
    ])
  })

  it('tells what would change by rules that are not saved yet, until they are others', async () => {
    const asked: { lot_id: number; tariff: TariffCreate }[] = []
    server.use(
      http.post('*/api/v1/tariffs/preview', async ({ request }) => {
        asked.push((await request.json()) as (typeof asked)[number])
        return HttpResponse.json({
          from: '2026-09-30T22:00:00Z',
          to: '2026-10-31T23:00:00Z',
          stays: 120,
          dearer: 70,
          cheaper: 20,
          same: 30,
          before_minor: 50_000,
          after_minor: 61_000,
          difference_minor: 11_000,
          currency: 'EUR',
          examples: [
            {
              reservation_id: 7,
              code: 'VV-8F3K-29QX',
              starts_at: '2026-10-03T08:00:00Z',
              ends_at: '2026-10-03T10:00:00Z',
              before_minor: 400,
              after_minor: 650,
            },
          ],
        })
      }),
    )
    const { page } = await open('tariff')
    const button = (name: string) => page.findAll('button').find((each) => each.text() === name)
    const press = (name: string) => given(button(name)).trigger('click')
    await settled(() => button('Set prices') !== undefined)
    await press('Set prices')
    await settled(() => page.find('.tariff-form').exists())
    await page.find('input[name="increments.0.amount"]').setValue('2,50')
    await press('Add a kind')
    await press('Add a rule')
    await press('Add a flat price')
    await page.find('select[name="kind_rules.0.spot_kind"]').setValue('electric')
    await page.find('input[name="kind_rules.0.percent"]').setValue('125')
    await page.find('input[name="day_rules.0.on_holidays"]').setValue(true)
    await page.find('input[name="bands.0.amount"]').setValue('9')
    const ask = async () => {
      await press('What would change')
      await page.find('.tariff-form').trigger('submit')
    }
    await ask()
    await settled(() => page.text().includes('Say above whose public holidays count'))
    expect(asked).toEqual([])
    await page.find('input[name="holiday_region"]').setValue('de-sn')
    await ask()
    await settled(() => asked.length > 0 && page.text().includes('€110.00'))
    expect(asked[0]).toMatchObject({
      lot_id: 12,
      tariff: {
        holiday_region: 'DE-SN',
        kind_rules: [{ spot_kind: 'electric', percent_bp: 12_500 }],
        day_rules: [{ name: 'Weekend', weekdays: [5, 6], on_holidays: true, percent_bp: 10_000 }],
        bands: [{ kind: 'early_bird', weekdays: [0, 1, 2, 3, 4], amount_minor: 900 }],
      },
    })
    expect(page.text()).toContain('VV-8F3K-29QX')
    expect(page.text()).toContain('+€2.50')
    await page.find('input[name="bands.0.amount"]').setValue('8')
    await settled(() => page.text().includes('You changed the prices since'))
    expect(page.text()).not.toContain('VV-8F3K-29QX')
  })

  it('chooses the staff, and says what somebody else chose meanwhile', async () => {
    let staff = [{ id: 5, name: 'Toni Torwart', email: 'toni@example.com' }]
    let staffVersion = 1
    const kim = { id: 6, name: 'Kim Kasse', email: 'kim@example.com' }
    const staffTag = () => `"s${String(staffVersion)}"`
    const staffAnswer = () => HttpResponse.json({ items: staff }, { headers: { ETag: staffTag() } })
    server.use(
      http.get('*/api/v1/lots/12/staff', staffAnswer),
      http.put('*/api/v1/lots/12/staff', async ({ request }) => {
        if (request.headers.get('If-Match') !== staffTag())
          return refuse(412, 'precondition-failed')
        sent.push(await request.json())
        staff = [...staff.filter(({ id }) => id === 5), kim]
        staffVersion += 1
        return staffAnswer()
      }),
      http.get('*/api/v1/users', ({ request }) => {
        const { searchParams } = new URL(request.url)
        expect([searchParams.get('q'), searchParams.get('role')]).toEqual(['kim', 'attendant'])
        const items = [anAccount({ ...kim, roles: ['attendant'] })]
        return HttpResponse.json({ items, next_cursor: null, total: 1 })
      }),
    )
    const { page } = await openPage(LotEditView, '/admin/lots/12?part=staff')
    await settled(() => page.text().includes('Toni Torwart') && page.find('.picker').exists())
    await page.find('.picker input').setValue('kim')
    await settled(() => page.find('.picker li button').exists())
    await page.find('.picker li button').trigger('click')
    expect(page.text()).toContain('Not saved yet')
    staff = []
    staffVersion += 1
    const save = () =>
      given(page.findAll('button').find((each) => each.text() === 'Save staff')).trigger('click')
    await save()
    await settled(() => page.text().includes('Somebody else changed the staff'))
    expect(page.text()).toContain('They saved: nobody.')
    expect(page.text()).toContain('Kim Kasse')
    expect(sent).toEqual([])
    await save()
    await settled(() => sent.length > 0)
    expect(sent).toEqual([{ user_ids: [5, 6] }])
  })
})
