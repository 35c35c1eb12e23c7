import { randomBytes } from 'node:crypto'
import type { Locator, Page } from '@playwright/test'
import { expectAccessible, expectNoSidewaysScroll, isReady, visit } from './checks.ts'
import { search } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin } from './system.ts'

/** A name that no lot has. */
function newName(): string {
  return `Yard ${randomBytes(3).toString('hex')}`
}

function inWindow(window: { starts_at: string; ends_at: string }): string {
  return new URLSearchParams({ from: window.starts_at, to: window.ends_at }).toString()
}

/** A part of the lot's page. */
function part(page: Page, name: string): Locator {
  return page.getByRole('navigation', { name: 'Parts of the lot' }).getByRole('link', { name })
}

async function change(page: Page, action: string): Promise<Locator> {
  await page.getByRole('button', { name: 'More for this lot' }).click()
  await page.getByRole('menuitem', { name: action }).click()
  return page.getByRole('dialog')
}

test('a lot from its first draft to the archive, as an admin makes it and a driver sees it', async ({
  page,
  secondPage,
  api,
  complaints,
}) => {
  // The driver asks for a lot that is closed, and later gone.
  complaints.expect(/(409 \(Conflict\)|404 \(Not Found\)).*\/api\/v1\/(lots|quotes)/)
  const name = newName()
  const { window } = await api.findLot('Altmarkt')
  const person = await api.signUp()
  await api.addVehicle(person)
  await signIn(page, admin())
  await expect(page).toHaveURL(/\/admin\/lots/)
  await isReady(page)
  await expectNoSidewaysScroll(page)

  await test.step('the facts', async () => {
    await page.getByRole('link', { name: 'New lot' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByLabel('Address').fill('Elbufer 1')
    await page.getByLabel('City').fill('Dresden')
    await page.getByLabel('Latitude').fill('51.0573')
    await page.getByLabel('Longitude').fill('13.7411')
    await expectNoSidewaysScroll(page)
    await page.getByRole('button', { name: 'Create the draft' }).click()
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
    await expect(page).toHaveURL(/\/admin\/lots\/\d+/)
  })
  const id = /\/admin\/lots\/(\d+)/.exec(page.url())?.[1] ?? ''

  await test.step('bays in bulk', async () => {
    await part(page, 'Bays').click()
    await page.getByLabel('Label prefix').fill('A')
    await page.getByLabel('From', { exact: true }).fill('1')
    await page.getByLabel('To', { exact: true }).fill('24')
    await page.getByLabel('Level', { exact: true }).fill('0')
    await page.getByRole('button', { name: 'Add 24 bays' }).click()
    await expect(part(page, 'Bays')).toContainText('24')
    await expectNoSidewaysScroll(page)
  })

  await test.step('a tariff', async () => {
    await part(page, 'Tariff').click()
    await page.getByRole('button', { name: 'Set prices' }).click()
    const row = page.getByRole('group', { name: 'Row 1', exact: true }).first()
    await row.getByLabel('Minutes').fill('60')
    await row.getByLabel('Price in EUR').fill('2.50')
    await expectNoSidewaysScroll(page)
    await page.getByRole('button', { name: 'Publish now' }).click()
    await expect(page.getByRole('heading', { name: 'Published tariff', exact: true })).toBeVisible()
  })

  await test.step('opened, and drivers find it with its price', async () => {
    await page.getByRole('button', { name: 'Open for booking' }).click()
    const dialog = page.getByRole('dialog', { name: `Open ${name} for booking?` })
    await dialog.getByRole('button', { name: 'Open for booking' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByRole('main').getByText('Open', { exact: true }).first()).toBeVisible()

    await signIn(secondPage, person)
    await search(secondPage, name, window)
    const card = secondPage.getByRole('article').filter({ hasText: name })
    await expect(card).toContainText('24 of 24 free')
    await expect(card).toContainText('€5')
    await card.getByRole('link', { name: `Choose a bay at ${name}` }).click()
    await expect(secondPage.getByRole('heading', { level: 1, name })).toBeVisible()
    await expect(secondPage.getByText('€5.00').filter({ visible: true }).first()).toBeVisible()
  })

  await test.step('renamed', async () => {
    await part(page, 'Details').click()
    await page.getByLabel('Name', { exact: true }).fill(`${name} North`)
    await page.getByRole('button', { name: 'Save changes' }).click()
    await expect(page.getByRole('heading', { level: 1, name: `${name} North` })).toBeVisible()
    await visit(secondPage, `/lots/${id}?${inWindow(window)}`)
    await expect(secondPage.getByRole('heading', { level: 1 })).toHaveText(`${name} North`)
  })

  await test.step('closed', async () => {
    const dialog = await change(page, 'Close the lot')
    await dialog.getByRole('button', { name: 'Close the lot' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByRole('button', { name: 'Open again' }).first()).toBeVisible()
    await visit(secondPage, `/lots/${id}?${inWindow(window)}`)
    await expect(secondPage.getByText('Takes no bookings now', { exact: true })).toBeVisible()
  })

  await test.step('archived, and gone for drivers', async () => {
    const dialog = await change(page, 'Archive the lot')
    await expectAccessible(page)
    await dialog.getByLabel('Type the name of the lot to archive it').fill(`${name} North`)
    await dialog.getByRole('button', { name: 'Archive the lot' }).click()
    await expect(dialog).toBeHidden()
    await visit(secondPage, `/lots/${id}?${inWindow(window)}`)
    await expect(secondPage.getByText('There is no such car park')).toBeVisible()
  })
})

test('an import tells row by row what it does', async ({ page }) => {
  const [good, lost] = [newName(), newName()]
  const table = [
    'place_id,name,city,address,latitude,longitude,capacity',
    `${good},${good},Dresden,Elbufer 2,51.0581,13.7425,12`,
    `${lost},${lost},Dresden,Elbufer 3,,,20`,
  ].join('\n')
  await signIn(page, admin())
  await page.getByRole('link', { name: 'Import' }).first().click()
  await isReady(page)
  await expectNoSidewaysScroll(page)

  await page.getByLabel('Choose a file').setInputFiles({
    name: `${good}.csv`,
    mimeType: 'text/csv',
    buffer: Buffer.from(table),
  })
  await expect(page.getByText('Checked, nothing is saved yet')).toBeVisible()
  const rows = page.getByRole('table', { name: 'Rows of the file' })
  // What is refused comes first, with its reason.
  await expect(rows.getByRole('row').filter({ hasText: 'Refused' })).toContainText(
    'The lot has no coordinates.',
  )
  await page.getByRole('radio', { name: /^All/ }).check({ force: true })
  await expect(rows.getByRole('row').filter({ hasText: good })).toContainText('New')
  await expectNoSidewaysScroll(page)
  await expectAccessible(page)

  await page.getByRole('button', { name: 'Import 1 lot' }).click()
  await expect(page.getByText('Import finished')).toBeVisible()
  await page.getByRole('radio', { name: /^All/ }).check({ force: true })
  await expect(rows.getByRole('row').filter({ hasText: good })).toContainText('Created')
  await expectAccessible(page)

  await page.getByRole('link', { name: 'Go to the lots' }).click()
  await page.getByLabel('Search lots').fill(good)
  await expect(page.getByRole('link', { name: good, exact: true })).toBeVisible()
  await expect(page.getByRole('main')).not.toContainText(lost)
})
