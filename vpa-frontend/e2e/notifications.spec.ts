import { expectAccessible, expectNoSidewaysScroll } from './checks.ts'
import { CARD, fillCard, open, pay, pickBay, toCard } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'

test('what a driver is told, as it happens', async ({ page, api }) => {
  const driver = await api.signUp()
  await api.addVehicle(driver)
  const { lot, window } = await api.findLot('Altmarkt')
  const bell = (unread: number) =>
    page.getByRole('button', {
      name: unread > 0 ? `Notifications, ${String(unread)} unread` : 'Notifications',
      exact: true,
    })
  const some = page.getByRole('button', { name: /^Notifications, \d+ unread$/ })
  const panel = page.getByRole('dialog', { name: 'Notifications' })

  await test.step('nothing yet', async () => {
    await signIn(page, driver)
    await bell(0).click()
    await expect(panel.getByText('Nothing yet')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(panel).toBeHidden()
    await expect(bell(0)).toBeFocused()
  })

  const { pathname } = await test.step('books and pays, and the bell knows', async () => {
    const query = new URLSearchParams({ from: window.starts_at, to: window.ends_at })
    // Without the stream, pages would ask by themselves.
    const stream = page.waitForResponse((answer) => /\/events\?ticket=/.test(answer.url()))
    await page.goto(`/lots/${String(lot.id)}?${query.toString()}`)
    expect((await stream).status()).toBe(200)
    const [bay] = await api.freeSpots(lot, window)
    if (!bay) throw new Error('There is no free bay.')
    await pickBay(page, bay)
    await toCard(page, bay)
    await fillCard(page, CARD.good)
    await pay(page)
    await expect(page).toHaveURL(/\/bookings\/\d+/)
    await expect(some).toBeVisible()
    return new URL(page.url())
  })
  const booking = `/reservations/${pathname.replace(/\D/g, '')}`

  await test.step('shows what it is, and leads there, which reads it', async () => {
    await open(page, 'Vehicles')
    await some.click()
    const told = panel.getByRole('link').filter({ hasText: 'Altmarkt' })
    await expect(told.getByText('(Unread)').first()).toBeAttached()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await told.first().click()
    await expect(panel).toBeHidden()
    await expect(page).toHaveURL(new RegExp(`${pathname}$`))
    await some.or(bell(0)).click()
    await expect(told.first()).not.toContainText('(Unread)')
    await page.keyboard.press('Escape')
  })

  await test.step('an open booking hears what becomes of it elsewhere', async () => {
    const preview = await api.get<{ refund_minor: number }>(`${booking}/cancellation`, driver)
    await api.post(`${booking}/cancel`, { expected_refund_minor: preview.refund_minor }, driver)
    await expect(page.getByText('This booking is cancelled')).toBeVisible()
    await expect(some).toBeVisible()
  })

  await test.step('all of them, read at once', async () => {
    await some.click()
    await panel.getByRole('link', { name: 'See all' }).click()
    await expect(page).toHaveURL(/\/notifications$/)
    await expect(page.getByRole('heading', { level: 1, name: 'Notifications' })).toBeVisible()
    const main = page.getByRole('main')
    await expect(main.getByRole('button', { name: /^Mark as read: / }).first()).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await main.getByRole('button', { name: 'Mark all as read' }).click()
    await expect(bell(0)).toBeVisible()
    await main.getByRole('radio', { name: 'Unread' }).check({ force: true })
    await expect(main.getByText('All is read')).toBeVisible()
  })

  await test.step('chooses what is told, which stays', async () => {
    await page.goto('/profile')
    const mail = page.getByRole('checkbox', { name: 'Your bookings, by mail' })
    await expect(mail).toBeChecked()
    await expect(page.getByRole('checkbox', { name: 'Your account, by mail' })).toBeDisabled()
    await mail.focus()
    await page.keyboard.press('Space')
    await expect(page.getByText('Saved.')).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.reload()
    await expect(mail).not.toBeChecked()
  })
})
