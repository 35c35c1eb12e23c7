import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { newEmail, PASSWORD } from './api.ts'
import { settle, visit } from './checks.ts'
import { CARD, fillCard, pay, pickBay, toCard } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin, demoAccount } from './system.ts'

const folder = fileURLToPath(new URL('../shots', import.meta.url))

test.beforeEach(({ complaints }) => {
  // Pictures are taken, whatever the browser says.
  complaints.expect(/./)
})

/**
 * `shots/find.mob-dark.png`, so that the four of one screen stand side by side.
 *
 * The window grows with the page, up to twice its height: what sticks to an edge then stands at one.
 */
async function shoot(page: Page, name: string): Promise<void> {
  // The map and other parts that come late.
  await page.waitForLoadState('networkidle')
  const { width, height } = page.viewportSize() ?? { width: 390, height: 844 }
  const length = await page.evaluate(() => document.documentElement.scrollHeight)
  await page.setViewportSize({ width, height: Math.min(Math.max(length, height), 2 * height) })
  await page.evaluate(() => window.scrollTo(0, 0))
  await settle(page)
  await page.screenshot({
    path: join(folder, `${name}.${test.info().project.name}.png`),
    animations: 'disabled',
  })
  await page.setViewportSize({ width, height })
}

test('guests', async ({ page, api }) => {
  const { lot, window } = await api.findLot('Altmarkt')
  const when = new URLSearchParams({ from: window.starts_at, to: window.ends_at }).toString()
  for (const [name, path] of [
    ['find', '/'],
    ['find-search', `/?q=Altmarkt&${when}`],
    ['find-nothing', '/?q=nothing-is-called-so'],
    ['lot', `/lots/${String(lot.id)}?${when}`],
    ['lot-plan', `/lots/${String(lot.id)}?${when}&step=bay`],
    ['lot-quote', `/lots/${String(lot.id)}?${when}&step=pay`],
    ['lot-missing', '/lots/999999'],
    ['sign-in', '/sign-in'],
    ['forgot-password', '/forgot-password'],
    ['reset-password', '/reset-password#token=of-nobody'],
    ['not-found', '/nowhere'],
  ] as const) {
    await visit(page, path)
    await shoot(page, name)
  }
  await visit(page, `/lots/${String(lot.id)}?${when}&step=bay`)
  await page.getByRole('button', { name: 'Show as list' }).click()
  await shoot(page, 'lot-list')

  await visit(page, '/')
  const summary = page.getByRole('button', { name: /^Change the search/ })
  if (await summary.isVisible()) await summary.click()
  else
    await page
      .getByRole('search')
      .getByRole('button', { name: /^Arrive/ })
      .click()
  await shoot(page, 'find-when')

  await visit(page, '/register')
  await shoot(page, 'register')
  await page.getByRole('button', { name: 'Send me the code' }).click()
  await expect(page.getByText('Enter your name.').first()).toBeVisible()
  await shoot(page, 'register-errors')
  await page.getByLabel('Your name').fill('Asha Rao')
  await page.getByLabel('E-mail address').fill(newEmail())
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Send me the code' }).click()
  await expect(page.getByLabel('Code from the mail')).toBeVisible()
  await shoot(page, 'verify')
})

test('drivers', async ({ page }) => {
  await signIn(page, demoAccount('anna@demo.example'))
  for (const [name, path] of [
    ['find-driver', '/'],
    ['bookings', '/bookings'],
    ['bookings-past', '/bookings?show=past'],
    ['vehicles', '/vehicles'],
    ['profile', '/profile'],
    ['security', '/profile/security'],
  ] as const) {
    await visit(page, path)
    await shoot(page, name)
  }
  await page.getByRole('button', { name: /^Account menu/ }).click()
  await shoot(page, 'account-menu')
  await visit(page, '/vehicles')
  await page.getByRole('button', { name: 'Add vehicle' }).click()
  await shoot(page, 'vehicle-dialog')
})

test('from the plan to the ticket', async ({ page, api }) => {
  const person = await api.signUp()
  await signIn(page, person)
  for (const [name, path] of [
    ['bookings-none', '/bookings'],
    ['vehicles-none', '/vehicles'],
  ] as const) {
    await visit(page, path)
    await shoot(page, name)
  }
  await api.addVehicle(person, { label: 'Family car', make: 'Škoda', model: 'Octavia' })
  const { lot, window } = await api.findLot('Altmarkt')
  const [bay] = await api.freeSpots(lot, window)
  if (!bay) throw new Error('There is no free bay.')
  const when = new URLSearchParams({ from: window.starts_at, to: window.ends_at }).toString()
  await visit(page, `/lots/${String(lot.id)}?${when}`)
  await pickBay(page, bay)
  await expect(page.getByRole('radio', { name: /, Yours$/ })).toBeChecked()
  await shoot(page, 'lot-held')
  await toCard(page, bay)
  await shoot(page, 'pay')
  await fillCard(page, CARD.declined)
  await pay(page)
  await expect(page.getByText('The payment did not go through')).toBeVisible()
  await shoot(page, 'pay-declined')
  await page.getByLabel('Card number').fill(CARD.challenged)
  await pay(page)
  const challenge = page.getByRole('dialog', { name: 'Your bank asks for a code' })
  await expect(challenge).toBeVisible()
  await shoot(page, 'pay-challenge')
  await challenge.getByLabel('Code').fill('123456')
  await challenge.getByRole('button', { name: 'Confirm' }).click()
  await expect(page).toHaveURL(/\/bookings\/\d+/)
  await expect(page.getByRole('img', { name: /^QR code/ })).toBeVisible()
  await shoot(page, 'ticket')
  await page.getByRole('button', { name: /^Show the QR code on the whole screen/ }).click()
  await shoot(page, 'ticket-whole-screen')
  await visit(page, '/bookings')
  await shoot(page, 'bookings-one')
})

test('admins', async ({ page, api }) => {
  const { lot } = await api.findLot('Altmarkt')
  const path = `/admin/lots/${String(lot.id)}`
  await signIn(page, admin())
  for (const [name, each] of [
    ['admin-lots', '/admin/lots'],
    ['admin-lot-new', '/admin/lots/new'],
    ['admin-lot', path],
    ['admin-bays', `${path}?part=bays`],
    ['admin-tariff', `${path}?part=tariff`],
    ['admin-staff', `${path}?part=staff`],
    ['admin-users', '/admin/users'],
    ['admin-audit-log', '/admin/audit-log'],
    ['admin-import', '/admin/lots/import'],
  ] as const) {
    await visit(page, each)
    await shoot(page, name)
  }
  await visit(page, '/admin/users?q=anna%20schneider')
  await page.getByRole('link', { name: 'Anna Schneider' }).click()
  await expect(page.getByRole('button', { name: 'Save changes' })).toBeVisible()
  await shoot(page, 'admin-user')
  await visit(page, '/admin/lots/import')
  const table = [
    'place_id,name,city,address,latitude,longitude,capacity,max_height',
    'elbe-1,Elbufer Ost,Dresden,Elbufer 1,51.0573,13.7411,120,210',
    'elbe-2,Elbufer West,Dresden,Elbufer 2,51.0581,13.7425,80,high',
    'elbe-3,Elbufer Nord,Dresden,Elbufer 3,,,20,',
  ].join('\n')
  await page.getByLabel('Choose a file').setInputFiles({
    name: 'elbufer.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(table),
  })
  await expect(page.getByText('Checked, nothing is saved yet')).toBeVisible()
  await page.getByRole('radio', { name: /^All/ }).check({ force: true })
  await shoot(page, 'admin-import-report')
  await visit(page, `${path}?part=bays`)
  await page
    .getByRole('button', { name: /^Edit bay/ })
    .first()
    .click()
  await shoot(page, 'admin-bay')
  await visit(page, `${path}?part=tariff`)
  await page.getByRole('button', { name: 'New version' }).click()
  await shoot(page, 'admin-tariff-new')
  await visit(page, path)
  await page.getByRole('button', { name: 'More for this lot' }).click()
  await page.getByRole('menuitem', { name: 'Archive' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await shoot(page, 'admin-archive')
})

test('the design system', async ({ page }) => {
  await page.goto(`${process.env['E2E_VITE_URL'] ?? ''}/gallery`)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await shoot(page, 'gallery')
})
