import type { Page } from '@playwright/test'
import type { Api, Person } from './api.ts'
import { visit } from './checks.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin } from './system.ts'

/** What would run if any page took text for markup; each would leave a mark. */
const PAYLOADS = [
  '<img src=x onerror="window.wasRun=1;alert(1)">',
  '"><script>window.wasRun=1;alert(1)</script>',
  "'-alert(1)-'",
  '{{constructor.constructor("window.wasRun=1")()}}',
  '<svg onload=alert(1)>',
  'javascript:alert(1)//',
  '</title><script>alert(1)</script>',
  '\u202elive\u202c \u200f<b>x',
]

/** No dialog, nothing that ran; a breach of the content security policy fails every test anyway. */
async function expectHarmless(page: Page, path: string, text: string): Promise<void> {
  await test.step(path, async () => {
    await visit(page, path)
    await expect(page.getByText(text).first()).toBeVisible()
    expect(await page.evaluate(() => 'wasRun' in window)).toBe(false)
    expect(await page.locator('img[src="x"], svg[onload]').count()).toBe(0)
  })
}

test('text of people is text on every page', async ({ page, api }) => {
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })

  const [first = ''] = PAYLOADS
  const driver = await api.signUp(first)
  const vehicles = await addVehicles(api, driver)
  const { lot, window } = await api.findLot('Altmarkt')
  const [vehicle] = vehicles
  if (!vehicle) throw new Error('There is no vehicle.')
  const booking = await api.book(driver, { lot, window, vehicle })

  await test.step('what a driver sees', async () => {
    await signIn(page, driver)
    for (const text of PAYLOADS) await expectHarmless(page, '/vehicles', text)
    await expectHarmless(page, '/bookings', 'Altmarkt')
    await expectHarmless(page, `/bookings/${String(booking.id)}`, 'Altmarkt')
    await visit(page, '/profile')
    await expect(page.getByRole('textbox', { name: 'Name', exact: true })).toHaveValue(first)
    const where = new URLSearchParams({ q: first }).toString()
    await visit(page, `/?${where}`)
    await visit(page, `/lots/${String(lot.id)}?${where}`)
  })

  await test.step('what an admin sees', async () => {
    const boss = await api.signIn(admin())
    const lots = await addLots(api, boss)
    await page.context().clearCookies()
    await page.evaluate(() => {
      localStorage.clear()
    })
    await signIn(page, admin())
    for (const { id, name } of lots) await expectHarmless(page, `/admin/lots/${String(id)}`, name)
    await expectHarmless(page, '/admin/lots?status=draft', first)
    const who = new URLSearchParams({ q: driver.email }).toString()
    await expectHarmless(page, `/admin/users?${who}`, first)
    await visit(page, '/admin/audit-log')
  })

  expect(dialogs).toEqual([])
})

function addVehicles(api: Api, driver: Person) {
  return Promise.all(PAYLOADS.map((label) => api.addVehicle(driver, { label })))
}

function addLots(api: Api, boss: Person) {
  const lots = PAYLOADS.slice(0, 2).map((name) => ({
    ...{ name, address: name, city: name, amenities: [name.slice(0, 40)] },
    ...{ lat: 51.05, lng: 13.74, timezone: 'Europe/Berlin' },
  }))
  return Promise.all(lots.map((lot) => api.post<{ id: number; name: string }>('/lots', lot, boss)))
}
