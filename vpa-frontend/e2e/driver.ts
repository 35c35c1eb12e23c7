import { expect, type Locator, type Page } from '@playwright/test'
import type { SpotState, Window } from './api.ts'

const ZONE = 'Europe/Berlin'

/** Opens a page by the navigation: above on desks, below on phones. */
export async function open(page: Page, name: string | RegExp): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name })
    .filter({ visible: true })
    .click()
}

export async function addVehicle(page: Page, plate: string): Promise<void> {
  await page.getByRole('button', { name: 'Add vehicle' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a vehicle' })
  await dialog.getByLabel('Number plate').fill(plate)
  await dialog.getByRole('button', { name: 'Add vehicle' }).click()
  await expect(dialog).toBeHidden()
}

/** Searches for a name and a window: in the bar on desks, in the sheet on phones. */
export async function search(page: Page, name: string, window: Window): Promise<void> {
  const summary = page.getByRole('button', { name: /^Change the search/ })
  const bar = page.getByRole('search', { name: 'Search for parking' })
  await expect(summary.or(bar).filter({ visible: true })).toHaveCount(1)
  if (await summary.isVisible()) {
    await summary.click()
    const sheet = page.getByRole('dialog', { name: 'Where and when' })
    await sheet.getByLabel('Where', { exact: true }).fill(name)
    await fillTimes(sheet, window)
    await sheet.getByRole('button', { name: 'Show lots' }).click()
    await expect(sheet).toBeHidden()
  } else {
    await bar.getByLabel('Where', { exact: true }).fill(name)
    await bar.getByRole('button', { name: /^Arrive/ }).click()
    await fillTimes(bar, window)
    await bar.getByRole('button', { name: 'Search', exact: true }).click()
  }
}

async function fillTimes(form: Locator, window: Window): Promise<void> {
  for (const [label, instant] of [
    ['Arrive', window.starts_at],
    ['Leave', window.ends_at],
  ] as const) {
    const [day = '', time = ''] = wallTime(instant).split(' ')
    await form.getByLabel(`${label}: date`).fill(day)
    await form.getByLabel(`${label}: time`).fill(time)
  }
}

/** As a clock in the car park shows it: 2026-11-27 10:00. */
function wallTime(instant: string): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: ZONE,
    dateStyle: 'short',
    timeStyle: 'short',
  }).format(new Date(instant))
}

/** Picks a bay on the plan, on its level. */
export async function pickBay(page: Page, bay: SpotState): Promise<void> {
  const plan = page.getByRole('radiogroup', { name: /^Bays on level/ })
  // On phones the plan is a step of its own.
  const choose = page.getByRole('button', { name: 'Choose a bay' })
  await expect(plan.or(choose).filter({ visible: true }).first()).toBeVisible()
  if (await choose.isVisible()) await choose.click()
  await expect(plan).toBeVisible()
  const level = page.getByRole('group', { name: 'Level', exact: true })
  if (await level.isVisible()) {
    await level.getByRole('radio', { name: new RegExp(`^${bay.level} `) }).check({ force: true })
  }
  await plan.getByRole('radio', { name: `Bay ${bay.label}, Standard, Free` }).click()
}

/** Waits until the bay is held, and comes to the form of the card. */
export async function toCard(page: Page, bay: SpotState): Promise<void> {
  const plan = page.getByRole('radiogroup', { name: /^Bays on level/ })
  await expect(plan.getByRole('radio', { name: `Bay ${bay.label}, Standard, Yours` })).toBeChecked()
  const next = page.getByRole('button', { name: 'Continue to pay' })
  await expect(
    next.or(page.getByLabel('Card number')).filter({ visible: true }).first(),
  ).toBeVisible()
  if (await next.isVisible()) await next.click()
  await expect(page.getByLabel('Card number')).toBeVisible()
}

export const CARD = {
  good: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  challenged: '4000 0025 0000 3155',
}

export async function fillCard(page: Page, number: string): Promise<void> {
  await page.getByLabel('Card number').fill(number)
  await page.getByLabel('Expiry (MM/YY)').fill('12/40')
  await page.getByLabel('Security code').fill('123')
}

export async function pay(page: Page): Promise<void> {
  // On phones it stands at the bottom too.
  await page
    .getByRole('button', { name: /^Pay .*\d/ })
    .filter({ visible: true })
    .last()
    .click()
}
