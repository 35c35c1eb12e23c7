import type { Page } from '@playwright/test'
import type { FoundLot, Person, SpotState, Window } from './api.ts'
import { CARD, fillCard, pay, pickBay, toCard } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'

async function openLot(page: Page, person: Person, lot: FoundLot, window: Window): Promise<void> {
  await signIn(page, person)
  const query = new URLSearchParams({ from: window.starts_at, to: window.ends_at })
  await page.goto(`/lots/${String(lot.id)}?${query.toString()}`)
  await expect(page.getByRole('heading', { level: 1, name: lot.name })).toBeVisible()
}

async function isYours(page: Page, bay: Pick<SpotState, 'label'>): Promise<void> {
  await expect(page.getByRole('radio', { name: `Bay ${bay.label}, Standard, Yours` })).toBeChecked()
}

test('a bay that somebody else takes first leads to the nearest free one in one tap', async ({
  page,
  secondPage,
  api,
  complaints,
}) => {
  complaints.expect(/409 \(Conflict\).*\/api\/v1\/reservations/)
  const [asha, ben] = await Promise.all([api.signUp('Asha Rao'), api.signUp('Ben Kurz')])
  await Promise.all([api.addVehicle(asha), api.addVehicle(ben)])
  const { lot, window } = await api.findLot('Altmarkt')
  const [first, wanted] = await api.freeSpots(lot, window)
  if (!first || !wanted) throw new Error('There are no two free bays.')

  await test.step('one driver holds a bay and types a card; another looks at the same plan', async () => {
    await openLot(page, asha, lot, window)
    await pickBay(page, first)
    await toCard(page, first)
    await fillCard(page, CARD.good)
    await openLot(secondPage, ben, lot, window)
  })

  await test.step('both want the same bay, and the other one is faster', async () => {
    // While the first request is on its way, the second driver's arrives.
    await page.route(
      '**/api/v1/reservations',
      async (route) => {
        await pickBay(secondPage, wanted)
        await isYours(secondPage, wanted)
        await route.continue()
      },
      { times: 1 },
    )
    await backToPlan(page)
    await pickBay(page, wanted)
    await expect(page.getByText(`Bay ${wanted.label} was just taken`)).toBeVisible()
  })

  await test.step('one tap takes the nearest free bay, and the card is still there', async () => {
    const take = page.getByRole('button', { name: /^Take \w+, the nearest free bay$/ })
    const label = /^\s*Take (\w+),/.exec((await take.textContent()) ?? '')?.[1] ?? ''
    await take.click()
    await expect(page.getByLabel('Card number')).toHaveValue(CARD.good)
    await expect(page.getByLabel('Expiry (MM/YY)')).toHaveValue('12/40')
    await expect(page.getByLabel('Security code')).toHaveValue('123')
    await pay(page)
    await expect(page).toHaveURL(/\/bookings\/\d+/)
    await expect(page.getByRole('article', { name: 'Parking ticket' })).toContainText(label)
  })
})

/** On phones the plan is the step before the card. */
async function backToPlan(page: Page): Promise<void> {
  const steps = page.getByRole('navigation', { name: 'Steps of the booking' })
  if (await steps.isVisible()) await steps.getByRole('button', { name: 'Bay' }).click()
}
