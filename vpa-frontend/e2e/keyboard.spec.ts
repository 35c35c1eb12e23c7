import type { Locator, Page } from '@playwright/test'
import { CARD } from './driver.ts'
import { expect, test } from './fixtures.ts'

const MOST_STOPS = 120

/** Presses Tab until the focus is there; whoever has no pointer has no other way. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible()
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
    await expectFocusInView(page)
  }
  throw new Error(`${String(target)} cannot be reached with Tab.`)
}

/** What has the focus is never covered by a bar that sticks to an edge (WCAG 2.4.11). */
async function expectFocusInView(page: Page): Promise<void> {
  const covered = await page.evaluate(() => {
    const focused = document.activeElement
    if (!focused || focused === document.body) return undefined
    const { left, top, width, height } = focused.getBoundingClientRect()
    const onTop = document.elementFromPoint(left + width / 2, top + height / 2)
    const isSeen = onTop === null || focused.contains(onTop) || onTop.contains(focused)
    return isSeen
      ? undefined
      : `${focused.outerHTML.slice(0, 120)} under ${onTop.outerHTML.slice(0, 120)}`
  })
  expect(covered, 'an element with the focus is covered').toBeUndefined()
}

test('from the sign-in to the ticket with keys alone', async ({ page, api }) => {
  const person = await api.signUp()
  await api.addVehicle(person)
  const { window } = await api.findLot('Altmarkt')
  const query = new URLSearchParams({ from: window.starts_at, to: window.ends_at, q: 'Altmarkt' })
  const { keyboard } = page

  await test.step('sign in', async () => {
    await page.goto(`/sign-in?${new URLSearchParams({ next: `/?${query.toString()}` }).toString()}`)
    await tabTo(page, page.getByLabel('E-mail address'))
    await keyboard.type(person.email)
    await tabTo(page, page.getByLabel('Password', { exact: true }))
    await keyboard.type(person.password)
    await keyboard.press('Enter')
    await expect(page.getByRole('heading', { level: 1 })).toBeFocused()
  })

  await test.step('skip to the content and open the lot', async () => {
    await tabTo(page, page.getByRole('link', { name: 'Choose a bay at Altmarkt', exact: true }))
    await keyboard.press('Enter')
    await expect(page.getByRole('heading', { level: 1, name: 'Altmarkt' })).toBeFocused()
  })

  await test.step('walk over the plan and pick a bay', async () => {
    const plan = page.getByRole('radiogroup', { name: /^Bays on level/ })
    await expect(plan).toBeVisible()
    const focused = plan.locator('[role=radio]:focus')
    for (let stop = 0; stop < MOST_STOPS && (await focused.count()) === 0; stop += 1) {
      await keyboard.press('Tab')
    }
    const before = await focused.getAttribute('aria-label')
    // The first bay may be the last one of its row, or the only one that is free there.
    const ways = ['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp']
    let turn = 0
    await expect
      .poll(async () => {
        await keyboard.press(ways[turn++ % ways.length] ?? '')
        return focused.getAttribute('aria-label')
      })
      .not.toBe(before)
    // Along the row, to one that this car may take.
    for (let step = 0; step < MOST_STOPS; step += 1) {
      const label = (await focused.getAttribute('aria-label')) ?? ''
      if (/, Standard, Free$/.test(label)) break
      await keyboard.press(step % 20 === 19 ? 'ArrowDown' : 'ArrowRight')
    }
    await keyboard.press('Enter')
    await expect(plan.getByRole('radio', { name: /, Yours$/ })).toBeChecked()
  })

  await test.step('pay, with the code of the bank', async () => {
    await tabTo(page, page.getByLabel('Card number'))
    await keyboard.type(CARD.challenged)
    await keyboard.press('Tab')
    await keyboard.type('12/40')
    await keyboard.press('Tab')
    await keyboard.type('123')
    await keyboard.press('Enter')
    const challenge = page.getByRole('dialog', { name: 'Your bank asks for a code' })
    await expect(challenge.getByLabel('Code')).toBeFocused()
    await keyboard.type('123456')
    await keyboard.press('Enter')
    await expect(page).toHaveURL(/\/bookings\/\d+/)
  })

  await test.step('the ticket, and its code on the whole screen', async () => {
    await expect(page.getByRole('heading', { level: 1, name: 'Altmarkt' })).toBeFocused()
    const enlarge = page.getByRole('button', { name: /^Show the QR code on the whole screen/ })
    await tabTo(page, enlarge)
    await keyboard.press('Enter')
    await expect(page.getByRole('dialog')).toBeVisible()
    await keyboard.press('Escape')
    await expect(enlarge).toBeFocused()
  })
})

test('the first stop of a page leads past its navigation', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()
})
