import { expectAccessible, isReady, visit } from './checks.ts'
import { CARD, fillCard, pay, pickBay, toCard } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { newEmail, PASSWORD } from './api.ts'
import { signIn } from './people.ts'
import { admin } from './system.ts'

test('what guests see', async ({ page, api, complaints }) => {
  // Lots and pages that are not there.
  complaints.expect(/404 \(Not Found\).*\/api\/v1\/(lots\/999999|quotes)/)
  const { lot, window } = await api.findLot('Altmarkt')
  const when = new URLSearchParams({ from: window.starts_at, to: window.ends_at }).toString()
  for (const path of [
    '/',
    `/?q=Altmarkt&${when}`,
    '/?q=nothing-is-called-so',
    `/lots/${String(lot.id)}?${when}`,
    '/lots/999999',
    '/verify',
    '/forgot-password',
    '/reset-password',
    '/reset-password#token=of-nobody',
    '/nowhere',
  ]) {
    await test.step(path, async () => {
      await visit(page, path)
      await expectAccessible(page)
    })
  }

  await test.step('the list of bays', async () => {
    await visit(page, `/lots/${String(lot.id)}?${when}&step=bay`)
    await page.getByRole('button', { name: 'Show as list' }).click()
    await expect(page.getByRole('button', { name: 'Show the plan' })).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('the search of phones', async () => {
    await visit(page, '/')
    const summary = page.getByRole('button', { name: /^Change the search/ })
    if (await summary.isVisible()) {
      await summary.click()
      await expect(page.getByRole('dialog', { name: 'Where and when' })).toBeVisible()
    } else {
      await page
        .getByRole('search')
        .getByRole('button', { name: /^Arrive/ })
        .click()
      await expect(page.getByLabel('Arrive: date')).toBeVisible()
    }
    await expectAccessible(page)
  })

  await test.step('forms, with their errors', async () => {
    await visit(page, '/sign-in')
    await expectAccessible(page)
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByText('Enter your password.').first()).toBeVisible()
    await expectAccessible(page)

    await visit(page, '/register')
    await page.getByRole('button', { name: 'Send me the code' }).click()
    await expect(page.getByText('Enter your name.').first()).toBeVisible()
    await expectAccessible(page)
    await page.getByLabel('Your name').fill('Asha Rao')
    await page.getByLabel('E-mail address').fill(newEmail())
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Send me the code' }).click()
    await expect(page.getByLabel('Code from the mail')).toBeVisible()
    await expectAccessible(page)
  })
})

test('what drivers see', async ({ page, api, complaints }) => {
  // A session that is ended elsewhere, on purpose; and an export that nobody has asked for.
  complaints.expect(/401 \(Unauthorized\)/)
  complaints.expect(/404 \(Not Found\).*\/me\/export/)
  const person = await api.signUp()
  const { lot, window } = await api.findLot('Altmarkt')
  const [bay, other] = await api.freeSpots(lot, window)
  if (!bay || !other) throw new Error('There are no two free bays.')
  await signIn(page, person)

  await test.step('pages with nothing on them yet', async () => {
    for (const path of ['/bookings', '/vehicles', '/profile']) {
      await visit(page, path)
      await expectAccessible(page)
    }
  })

  const vehicle = await api.addVehicle(person, { label: 'Family car' })
  const booking = await api.book(person, { lot, window, vehicle, spot: bay })
  const dialog = page.getByRole('dialog')

  await test.step('vehicles and their dialogs', async () => {
    await visit(page, '/vehicles')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Add vehicle' }).click()
    await dialog.getByRole('button', { name: 'Add vehicle' }).click()
    await expect(dialog.getByText('Enter the number plate.').first()).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: `Delete ${vehicle.plate}` }).click()
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('bookings, and the ticket', async () => {
    await visit(page, '/bookings')
    await expectAccessible(page)
    await visit(page, `/bookings/${String(booking.id)}`)
    await expect(page.getByRole('img', { name: /^QR code/ })).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: /^Show the QR code on the whole screen/ }).click()
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('the account, and the way out', async () => {
    await visit(page, '/profile')
    await page.getByRole('button', { name: /^Account menu/ }).click()
    await expect(page.getByRole('menu')).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await page.getByLabel('Name', { exact: true }).fill('Asha R.')
    await page.getByRole('link', { name: 'Vehicle Vault' }).click()
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('security, what is set up there, and the end of an account', async () => {
    await visit(page, '/profile/security')
    await expect(page.getByLabel('New e-mail address')).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Change password' }).click()
    await expect(page.getByText('Enter your current password.')).toBeVisible()
    await page.getByRole('button', { name: 'Set up' }).click()
    await expect(page.getByRole('img', { name: /^QR code/ })).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'End all others' }).click()
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Close my account' }).click()
    await dialog.getByRole('button', { name: 'Close account' }).click()
    await expect(dialog.getByText('Type close, as it is written here.')).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
  })

  await test.step('a hold, its card and its challenge', async () => {
    const second = await api.addVehicle(person)
    const query = new URLSearchParams({
      from: window.starts_at,
      to: window.ends_at,
      vehicle: String(second.id),
    })
    await visit(page, `/lots/${String(lot.id)}?${query.toString()}`)
    await pickBay(page, other)
    await toCard(page, other)
    await expectAccessible(page)
    await pay(page)
    await expect(page.getByText('Enter the number on your card.').first()).toBeVisible()
    await expectAccessible(page)
    await fillCard(page, CARD.declined)
    await pay(page)
    await expect(page.getByText('The payment did not go through')).toBeVisible()
    await expectAccessible(page)
    await page.getByLabel('Card number').fill(CARD.challenged)
    await pay(page)
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
    await dialog.getByLabel('Code').fill('123456')
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await expect(page).toHaveURL(/\/bookings\/\d+/)
  })

  await test.step('a sign-in that ended meanwhile, and goes on where it was', async () => {
    await visit(page, '/vehicles')
    await api.signOutEverywhere(person)
    const bookings = page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Bookings' })
      .filter({ visible: true })
    // The click finds out, unless the live stream did before, which ends with the sign-in.
    await bookings.click({ timeout: 2_000 }).catch(() => undefined)
    await expect(page.getByRole('dialog', { name: 'Please sign in again' })).toBeVisible()
    await expectAccessible(page)
    await dialog.getByLabel('Password', { exact: true }).fill(person.password)
    await dialog.getByRole('button', { name: 'Sign in and go on' }).click()
    await expect(dialog).toBeHidden()
    await isReady(page)
    await bookings.click()
    await expect(page.getByRole('main').getByText('Altmarkt').first()).toBeVisible()
  })
})

test('what admins see', async ({ page, api }) => {
  const { lot } = await api.findLot('Altmarkt')
  const path = `/admin/lots/${String(lot.id)}`
  const dialog = page.getByRole('dialog')
  await signIn(page, admin())

  await test.step('the lots', async () => {
    for (const list of [
      '/admin/lots',
      '/admin/lots?q=nothing-is-called-so',
      '/admin/lots/import',
    ]) {
      await visit(page, list)
      await expectAccessible(page)
    }
  })

  await test.step('users, and one of them', async () => {
    await visit(page, '/admin/users?q=nobody-is-called-so')
    await expectAccessible(page)
    await visit(page, '/admin/users?q=anna%20schneider')
    await expectAccessible(page)
    await page.getByRole('link', { name: 'Anna Schneider' }).click()
    const boxes = page.getByRole('group', { name: 'Roles' }).getByRole('checkbox')
    await boxes.first().uncheck()
    await page.getByRole('button', { name: 'Save changes' }).click()
    await expect(page.getByText('Choose one role at least.')).toBeVisible()
    await expectAccessible(page)
    await boxes.first().check()
  })

  await test.step('the audit log', async () => {
    await visit(page, '/admin/audit-log')
    await expect(page.getByRole('list', { name: 'Entries' })).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Choose a person' }).click()
    await dialog.getByLabel('Find a person').fill('alex')
    await expect(dialog.getByRole('list', { name: 'People found' })).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
  })

  await test.step('a new lot, with errors', async () => {
    await visit(page, '/admin/lots/new')
    await page.getByRole('button', { name: 'Create the draft' }).click()
    await expect(page.getByText('Enter a name.').first()).toBeVisible()
    await expectAccessible(page)
  })

  await test.step('the parts of a lot', async () => {
    await visit(page, path)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'More for this lot' }).click()
    await expect(page.getByRole('menu')).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('menuitem', { name: 'Close' }).click()
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
    await page.keyboard.press('Escape')

    await visit(page, `${path}?part=bays`)
    await page.getByLabel('To', { exact: true }).fill('many')
    await page.getByRole('button', { name: /^Add .*bays?$/ }).click()
    await expect(page.getByText('Enter a number from 0 to 99999.')).toBeVisible()
    await expectAccessible(page)
    await page
      .getByRole('button', { name: /^Edit bay/ })
      .first()
      .click()
    await expect(dialog).toBeVisible()
    // By key, since a sheet of a phone may still be on its way in.
    await dialog.getByLabel('With an end').press('Space')
    await expect(dialog.getByLabel('With an end')).toBeChecked()
    await expectAccessible(page)
    await page.keyboard.press('Escape')

    // A lot where the attendant does not work yet.
    const { lot: other } = await api.findLot('Semperoper')
    await visit(page, `/admin/lots/${String(other.id)}?part=staff`)
    await page.getByLabel('Add an attendant').fill('toni')
    await expect(page.getByRole('button', { name: /^Toni/ })).toBeVisible()
    await expectAccessible(page)

    await visit(page, `${path}?part=tariff`)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'New version' }).click()
    await page.getByRole('radio', { name: 'These' }).check({ force: true })
    await page.getByLabel('Name', { exact: true }).last().fill('')
    await page.getByRole('button', { name: 'Publish now' }).click()
    await expect(page.getByText('Enter a name.').first()).toBeVisible()
    await expectAccessible(page)
    // By key, since on phones the summary of the refused form lies over the link until it is closed.
    await page.getByRole('link', { name: 'Lots', exact: true }).first().press('Enter')
    await expect(dialog).toBeVisible()
    await expectAccessible(page)
  })
})
