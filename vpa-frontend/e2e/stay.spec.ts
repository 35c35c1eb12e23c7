import type { Page } from '@playwright/test'
import type { Person, Reservation } from './api.ts'
import { expectAccessible, expectNoSidewaysScroll, isReady } from './checks.ts'
import { CARD, fillCard } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { demoAccount } from './system.ts'

async function openBooking(page: Page, driver: Person, booking: Reservation): Promise<void> {
  await signIn(page, driver)
  await page.goto(`/bookings/${String(booking.id)}`)
  await expect(page.getByRole('heading', { name: 'Activity' })).toBeVisible()
}

test('a stay that is made longer, paid, left and reviewed', async ({ page, api, complaints }) => {
  // What the page asks in the very moment in which the car drives out is refused, and it shows the stay as it is.
  complaints.expect(/409 \(Conflict\).*\/reservations\/\d+\/(ticket|extension)/)
  const driver = await api.signUp()
  const vehicle = await api.addVehicle(driver)
  const attendant = await api.signIn(demoAccount('attendant@demo.example'))
  const { lot } = await api.findLot('Altmarkt')
  const start = new Date(Math.ceil(Date.now() / 60_000) * 60_000)
  const booking = await api.book(driver, {
    lot,
    vehicle,
    window: {
      starts_at: start.toISOString(),
      ends_at: new Date(start.getTime() + 3_600_000).toISOString(),
    },
  })
  await openBooking(page, driver, booking)

  await test.step('drives in, and the page knows', async () => {
    await api.post(`/reservations/${String(booking.id)}/check-in`, {}, attendant)
    await expect(page.getByText('Parked', { exact: true })).toBeVisible({ timeout: 40_000 })
  })

  await test.step('extends for three hours, and is led to what is due', async () => {
    await page.getByRole('radio', { name: 'Until …' }).check({ force: true })
    // In another bay, where somebody of the demo has this one afterwards.
    const extend = page.getByRole('button', { name: /^Extend to .* (for|in bay .*,) €/ })
    await expect(extend).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await extend.click()
    const due = page.getByRole('heading', { name: /^To pay: €/ })
    await expect(due).toBeFocused()
  })

  await test.step('pays it there', async () => {
    await page.getByRole('button', { name: /^Pay €/ }).click()
    await fillCard(page, CARD.good)
    await expectNoSidewaysScroll(page)
    await page.getByRole('button', { name: /^Pay €/ }).click()
    await expect(page.getByRole('heading', { name: /^To pay/ })).toBeHidden()
    await expect(page.getByRole('button', { name: /^Download receipt/ })).toHaveCount(2)
  })

  await test.step('drives out, and says how it was', async () => {
    await api.post(`/reservations/${String(booking.id)}/check-out`, {}, attendant)
    await expect(page.getByText('This stay is over')).toBeVisible({ timeout: 40_000 })
    await page.getByRole('button', { name: 'Publish review' }).click()
    await expect(page.getByText('Choose one to five stars.')).toBeVisible()
    await page.getByRole('radio', { name: '4 stars' }).check({ force: true })
    await page.getByLabel('In your words').fill('Easy to find.')
    await page.getByRole('button', { name: 'Publish review' }).click()
    await expect(page.getByRole('img', { name: '4 of 5 stars' })).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })

  await test.step('which stands on the page of the lot', async () => {
    await page.goto(`/lots/${String(lot.id)}`)
    await isReady(page)
    await expect(page.locator('#reviews').getByText('Asha R.').first()).toBeVisible()
  })
})

test('a booking at another time, for another vehicle, and cancelled', async ({ page, api }) => {
  const driver = await api.signUp()
  const [vehicle, other] = [await api.addVehicle(driver), await api.addVehicle(driver)]
  const { lot, window } = await api.findLot('Altmarkt')
  const booking = await api.book(driver, { lot, vehicle, window })
  await openBooking(page, driver, booking)

  await test.step('another vehicle', async () => {
    await page.getByRole('button', { name: 'Another vehicle' }).click()
    const dialog = page.getByRole('dialog', { name: 'Another vehicle' })
    await dialog.getByRole('button', { name: 'Take this vehicle' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByRole('article').getByText(other.plate)).toBeVisible()
  })

  await test.step('another time, with the difference told before', async () => {
    await page.getByRole('button', { name: 'Another time' }).click()
    const dialog = page.getByRole('dialog', { name: 'Another time' })
    await dialog.getByRole('radio', { name: '1 h', exact: true }).check({ force: true })
    await expect(dialog.getByText(/goes back to you$/)).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await dialog.getByRole('button', { name: 'Take the new time' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText(/^Credit note /)).toBeVisible()
  })

  await test.step('cancelled, for what was told to come back', async () => {
    await page.getByRole('button', { name: 'Cancel booking' }).click()
    const dialog = page.getByRole('dialog', { name: 'Cancel this booking?' })
    await expect(dialog.getByText('You get back')).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await dialog.getByRole('button', { name: /^Cancel, €/ }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText('This booking is cancelled')).toBeVisible()
    await expect(page.getByText(/^Credit note /)).toHaveCount(2)
    await expectAccessible(page)
  })
})

test('a receipt that is none', async ({ page }) => {
  await page.goto('/receipts/verify?number=R-2026-000001&word=made-up')
  await expect(page.getByText('This is no receipt of ours')).toBeVisible()
  await expectAccessible(page)
  await expectNoSidewaysScroll(page)
})
