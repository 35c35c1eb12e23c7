import { randomBytes } from 'node:crypto'
import type { Page } from '@playwright/test'
import type { components } from '../src/api/schema'
import { expectAccessible, expectNoSidewaysScroll, isReady, visit } from './checks.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin } from './system.ts'

type Payment = components['schemas']['Payment']

/** The page as it should be for everybody, at this width and at the narrow ones. */
async function expectSound(page: Page): Promise<void> {
  await isReady(page)
  await expectAccessible(page)
  await expectNoSidewaysScroll(page)
}

test('an admin gives a part back, and closing a bay moves its booking', async ({ page, api }) => {
  const person = await api.signUp()
  const vehicle = await api.addVehicle(person)
  // No other test books here meanwhile: a preview of closing is over with the first new booking.
  const { lot, window } = await api.findLot('Reitbahnstraße')
  const booking = await api.book(person, { lot, window, vehicle })
  const [payment] = (
    await api.get<{ items: Payment[] }>(`/payments?reservation_id=${String(booking.id)}`, person)
  ).items
  await signIn(page, admin())

  await test.step('found by its code', async () => {
    await visit(page, `/admin/bookings?q=${booking.code}`)
    await page.getByRole('link', { name: booking.code }).click()
    await expect(page.getByRole('heading', { level: 1, name: booking.code })).toBeVisible()
    await expect(page.getByRole('link', { name: person.name })).toBeVisible()
    await expectSound(page)
  })

  await test.step('a part of the money goes back, with its credit note', async () => {
    await page.getByRole('link', { name: `Payment ${String(payment?.id)}` }).click()
    await page.getByRole('button', { name: 'Refund', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('A part').click()
    await dialog.getByLabel('Amount in EUR').fill('9999')
    await dialog.getByRole('button', { name: /^Refund/ }).click()
    await expect(dialog.getByText(/Enter at most/)).toBeVisible()
    await dialog.getByLabel('Amount in EUR').fill('1')
    await dialog.getByLabel('Reason').fill('The lift was broken')
    await dialog.getByRole('button', { name: 'Refund €1.00' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText('Partly refunded')).toBeVisible()
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: /^Credit note/ }).click()
    expect((await download).suggestedFilename()).toMatch(/\.pdf$/)
    await expectSound(page)
  })

  await test.step('its entries stand in the ledger, which adds up', async () => {
    await page.getByRole('link', { name: 'Its entries in the ledger' }).click()
    await expect(page.getByText('Refund promised').first()).toBeVisible()
    await expect(page.getByText('They do not add up to zero')).toBeHidden()
    await expectSound(page)
  })

  await test.step('closing its bay shows first what it does, and then does just that', async () => {
    await visit(page, `/admin/lots/${String(lot.id)}?part=closing`)
    await page
      .getByRole('group', { name: 'Level' })
      .getByText(booking.spot.level, { exact: true })
      .click()
    await page
      .getByRole('group', { name: 'Bays' })
      .getByText(booking.spot.label, { exact: true })
      .click()
    await page.getByText('With an end').click()
    await page.getByLabel('Reason').fill('Resurfacing')
    await page.getByRole('button', { name: 'Show what it does' }).click()
    await expect(page.getByRole('link', { name: booking.code })).toBeVisible()
    await expect(page.getByText(/^Moves to bay/).first()).toBeVisible()
    await expectSound(page)
    await page.getByRole('button', { name: /^Close and tell/ }).click()
    await expect(page.getByText('Resurfacing', { exact: true })).toBeVisible()
    const moved = await api.get<typeof booking>(`/reservations/${String(booking.id)}`, person)
    expect(moved.spot.label).not.toBe(booking.spot.label)
    await page.getByRole('button', { name: 'Reopen' }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reopen' }).click()
    await expect(page.getByRole('dialog')).toBeHidden()
  })

  await test.step('the operator cancels, and all that was left goes back', async () => {
    await visit(page, `/admin/bookings/${String(booking.id)}`)
    await page.getByRole('button', { name: 'Cancel the booking' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the booking' }).click()
    await expect(page.getByText('The booking is cancelled.')).toBeVisible()
    const over = await api.get<typeof booking>(`/reservations/${String(booking.id)}`, person)
    expect([over.status, over.refunded_minor]).toEqual(['cancelled', over.paid_minor])
  })
})

test('an admin makes a coupon, and switches it off', async ({ page }) => {
  const code = `TEST-${randomBytes(3).toString('hex').toUpperCase()}`
  await signIn(page, admin())
  await visit(page, '/admin/coupons')
  await page.getByRole('button', { name: 'New coupon' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Make the coupon' }).click()
  await expect(dialog.getByText(/Use 3 to 40 letters/)).toBeVisible()
  await expectAccessible(page)
  await dialog.getByLabel('Code').fill(code)
  await dialog.getByLabel('Name').fill('Browser test')
  await dialog.getByLabel('Percentage', { exact: true }).fill('12.5')
  await dialog.getByRole('button', { name: 'Make the coupon' }).click()
  await expect(dialog).toBeHidden()
  await page.getByRole('button', { name: `Switch the coupon ${code} off` }).click()
  await expect(page.getByRole('button', { name: `Switch the coupon ${code} on` })).toBeVisible()
  await expectSound(page)
})

test('reviews, payments and the system are there for admins', async ({ page, complaints }) => {
  // Before the first hour is over nothing was checked yet.
  complaints.expect(/404 \(Not Found\).*\/api\/v1\/system\/invariants/)
  await signIn(page, admin())
  for (const place of ['reviews', 'payments', 'system', 'bookings']) {
    await visit(page, `/admin/${place}`)
    await expectSound(page)
  }
})
