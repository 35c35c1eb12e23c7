import { newPlate } from './api.ts'
import { expectNoSidewaysScroll } from './checks.ts'
import { addVehicle, CARD, fillCard, open, pay, pickBay, search, toCard } from './driver.ts'
import { expect, test } from './fixtures.ts'
import { register } from './people.ts'
import { readQr, verifyTicket } from './ticket.ts'

test('from sign-up to the ticket', async ({ page, api, mailbox, request }) => {
  const plate = newPlate()
  const { lot, window } = await api.findLot('Altmarkt')

  const { email } = await test.step('register with the code of the mail', async () => {
    await page.goto('/')
    await expectNoSidewaysScroll(page)
    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Create account' }).click()
    const account = await register(page, mailbox, 'Asha Rao')
    await expect(page).toHaveURL(/\/$/)
    return account
  })

  await test.step('add a vehicle', async () => {
    await open(page, 'Vehicles')
    await addVehicle(page, plate)
    await expect(page.getByRole('main').getByText(plate.replaceAll(' ', ''))).toBeVisible()
    await expectNoSidewaysScroll(page)
  })

  await test.step('find Altmarkt', async () => {
    await open(page, /^Find/)
    await search(page, 'Altmarkt', window)
    await expectNoSidewaysScroll(page)
    await page.getByRole('link', { name: 'Choose a bay at Altmarkt', exact: true }).click()
    await expect(page).toHaveURL(new RegExp(`/lots/${String(lot.id)}\\?`))
    await expect(page.getByRole('heading', { level: 1, name: 'Altmarkt' })).toBeVisible()
  })

  const bay = await test.step('pick a bay and hold it', async () => {
    const [found] = await api.freeSpots(lot, window)
    if (!found) throw new Error('There is no free bay.')
    await pickBay(page, found)
    await expectNoSidewaysScroll(page)
    await toCard(page, found)
    await expectNoSidewaysScroll(page)
    return found
  })

  await test.step('a declined card, with everything kept', async () => {
    await fillCard(page, CARD.declined)
    await pay(page)
    await expect(page.getByText('The payment did not go through')).toBeVisible()
    await expect(page.getByLabel('Card number')).toHaveValue(CARD.declined)
    await expect(page.getByLabel('Expiry (MM/YY)')).toHaveValue('12/40')
    await expect(page.getByLabel('Security code')).toHaveValue('123')
  })

  await test.step('a challenge that is answered wrong', async () => {
    await page.getByLabel('Card number').fill(CARD.challenged)
    await pay(page)
    const challenge = page.getByRole('dialog', { name: 'Your bank asks for a code' })
    await expectNoSidewaysScroll(page)
    await challenge.getByLabel('Code').fill('000000')
    await challenge.getByRole('button', { name: 'Confirm' }).click()
    await expect(challenge).toBeHidden()
    await expect(page.getByText('The payment did not go through')).toBeVisible()
  })

  const code = await test.step('a good card, and the ticket', async () => {
    await page.getByLabel('Card number').fill(CARD.good)
    await pay(page)
    await expect(page).toHaveURL(/\/bookings\/\d+/)
    const ticket = page.getByRole('article', { name: 'Parking ticket' })
    await expect(ticket.getByRole('heading', { level: 1, name: 'Altmarkt' })).toBeVisible()
    await expect(ticket).toContainText(bay.label)
    const qr = ticket.getByRole('img', { name: /^QR code of ticket/ })
    await expect(qr).toBeVisible()
    await expectNoSidewaysScroll(page)

    const claims = await verifyTicket(request, await readQr(page, qr))
    expect(claims).toMatchObject({ lot: lot.id, plate: plate.replaceAll(' ', '') })
    const name = String(claims['sub'])
    await expect(ticket.getByText(name, { exact: true }).first()).toBeVisible()
    return name
  })

  await test.step('the ticket by mail, and among the bookings', async () => {
    const mail = await mailbox.newest(email, code)
    expect(mail.subject).toContain('Altmarkt')
    expect(mail.text).toContain(bay.label)
    expect(mail.attachments).toHaveLength(1)
    await open(page, 'Bookings')
    await expect(page.getByRole('main').getByText('Altmarkt').first()).toBeVisible()
    await expectNoSidewaysScroll(page)
  })
})
