import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from 'uqr'
import type { components } from '../src/api/schema'
import { shared } from '../playwright.config.ts'
import { newPlate, type Api, type FoundLot, type Person } from './api.ts'
import { expectAccessible, visit } from './checks.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin, demoAccount, folder } from './system.ts'

type Schemas = components['schemas']

/** What the camera sees, of this worker's browser alone. */
const VIDEO = join(folder, `camera-${process.env['TEST_PARALLEL_INDEX'] ?? '0'}.y4m`)
const { launchOptions } = shared.use

test.use({
  launchOptions: {
    ...launchOptions,
    args: [
      ...launchOptions.args,
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${VIDEO}`,
    ],
  },
  permissions: ['camera'],
})

/** A second of video of a QR code, as a camera sees it at arm's length. */
function film(text: string): void {
  const [width, height, frames] = [640, 480, 15]
  const code = encode(text, { ecc: 'L', border: 4 })
  const scale = Math.floor((height * 0.8) / code.size)
  const side = scale * code.size
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)]
  const light = Buffer.alloc(width * height, 200)
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const isDark = code.data[Math.floor(y / scale)]?.[Math.floor(x / scale)]
      light[(top + y) * width + left + x] = isDark ? 30 : 235
    }
  }
  const frame = Buffer.concat([
    Buffer.from('FRAME\n'),
    light,
    Buffer.alloc((width * height) / 2, 128),
  ])
  const head = `YUV4MPEG2 W${String(width)} H${String(height)} F15:1 Ip A1:1 C420jpeg\n`
  writeFileSync(VIDEO, Buffer.concat([Buffer.from(head), ...Array<Buffer>(frames).fill(frame)]))
}

/** A car park of this test's own, open at any hour, where the demo's attendant works. */
async function openLot(api: Api, name: string): Promise<FoundLot> {
  const boss = await api.signIn(admin())
  const place = { address: 'Prager Straße 1', city: 'Dresden', lat: 51.045, lng: 13.737 }
  const lot = await api.post<FoundLot>('/lots', { name, status: 'open', ...place }, boss)
  const path = `/lots/${String(lot.id)}`
  await api.post(`${path}/spots`, { prefix: 'G', from: 1, to: 9, kind: 'standard' }, boss)
  const tariff = { name: 'Usual', increments: [{ minutes: 60, amount_minor: 200 }] }
  const { id } = await api.post<{ id: number }>(`${path}/tariffs`, tariff, boss)
  await api.post(`/tariffs/${String(id)}/publish`, undefined, boss)
  const { items } = await api.get<{ items: { id: number }[] }>(
    '/users?q=attendant@demo.example',
    boss,
  )
  await api.put(`${path}/staff`, { user_ids: items.map((user) => user.id) }, boss)
  return lot
}

/** A paid booking that begins in a few minutes. */
async function bookSoon(api: Api, person: Person, lot: FoundLot) {
  const vehicle = await api.addVehicle(person)
  const starts = Date.now() + 5 * 60_000
  const window = {
    starts_at: new Date(starts).toISOString(),
    ends_at: new Date(starts + 2 * 3_600_000).toISOString(),
  }
  const booking = await api.book(person, { lot, window, vehicle })
  const ticket = await api.get<Schemas['Ticket']>(
    `/reservations/${String(booking.id)}/ticket`,
    person,
  )
  return { booking, ticket, plate: vehicle.plate }
}

test('a shift at the gate', async ({ page, api, complaints }) => {
  // Refusals are answers of the gate.
  complaints.expect(/409 \(Conflict\).*\/api\/v1\/gate\/scan/i)
  const lot = await openLot(api, `Gate ${test.info().project.name} ${String(Date.now())}`)
  const driver = await api.signUp()
  const { booking, ticket, plate } = await bookSoon(api, driver, lot)
  film(ticket.payload)
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 2, name })
  const next = async () => {
    await page.getByRole('button', { name: 'Next car' }).click()
    await expect(page.getByLabel('Code or number plate')).toBeVisible()
  }
  const check = async (text: string) => {
    await page.getByLabel('Code or number plate').fill(text)
    await page.getByRole('button', { name: 'Check' }).click()
  }

  await test.step('an attendant lands on it, and chooses the car park', async () => {
    await signIn(page, demoAccount('attendant@demo.example'))
    await expect(page).toHaveURL(/\/gate$/)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Where do you work today?')
    await expectAccessible(page)
    await page.getByRole('link', { name: lot.name }).click()
    await expect(page.getByRole('heading', { level: 1, name: lot.name })).toBeVisible()
  })

  await test.step('the camera reads the ticket, and the car comes in', async () => {
    await expect(heading('Come in')).toBeVisible()
    await expect(page.getByText(plate).first()).toBeVisible()
    await expectAccessible(page)
    await next()
    // Still before the camera, and yet not taken for its second scan.
    await page.waitForTimeout(1500)
    await expect(page.getByLabel('Code or number plate')).toBeVisible()
    await page.getByRole('button', { name: 'Stop the camera' }).click()
    await expectAccessible(page)
  })

  await test.step('what is nobody’s stays outside', async () => {
    await check('ZZ ZZ 9')
    await expect(heading('No booking here')).toBeVisible()
    await expectAccessible(page)
    await next()
  })

  await test.step('a car without a booking comes in, pays and leaves', async () => {
    const walkIn = newPlate().replaceAll(' ', '')
    await page.getByRole('link', { name: 'Walk-in', exact: true }).click()
    await page.getByLabel('Number plate').fill(walkIn)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Let it in' }).click()
    await expect(heading('Come in')).toBeVisible()
    await page.getByRole('link', { name: 'Inside', exact: true }).click()
    await expect(page.getByText('€2.00 due')).toBeVisible()
    await expectAccessible(page)
    await page
      .getByRole('listitem')
      .filter({ hasText: walkIn })
      .getByRole('button', { name: 'Let out' })
      .click()
    await expect(heading('To pay first')).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Take €2.00 in cash' }).click()
    await expect(heading('Drive out')).toBeVisible()
    await next()
  })

  await test.step('the ticket’s code lets its car out', async () => {
    await check(booking.code)
    await expect(heading('Drive out')).toBeVisible()
  })

  await test.step('all of it is in the log, and the cash with it', async () => {
    await page.getByRole('link', { name: 'Log', exact: true }).click()
    await expect(page.getByText('No booking here')).toBeVisible()
    await expect(page.getByText('€2.00').first()).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('and it is remembered where the shift was', async () => {
    await visit(page, '/gate')
    await expect(page).toHaveURL(new RegExp(`/gate/${String(lot.id)}$`))
  })
})
