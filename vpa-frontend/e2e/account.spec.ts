import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { expectAccessible, expectNoSidewaysScroll, visit } from './checks.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin, type Credentials } from './system.ts'
import { totp } from './totp.ts'

const NEW_PASSWORD = 'another place by the river'

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page).toHaveURL(/\/sign-in/)
}

/** The first half of a sign-in, after which a code is asked for. */
async function enterPassword(page: Page, { email, password }: Credentials): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'One more step' })).toBeVisible()
}

test('a forgotten password is set anew by the link of the mail', async ({ page, api, mailbox }) => {
  const person = await api.signUp()
  await visit(page, '/sign-in?next=/vehicles')
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Forgot your password?' })).toBeVisible()
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByRole('button', { name: 'Send me the link' }).click()
  await expect(page.getByText('Look into your mail')).toBeVisible()
  await expectAccessible(page)

  const mail = await mailbox.newest(person.email, '/reset-password#token=')
  const [link = ''] = /http\S+\/reset-password#token=\S+/.exec(mail.text) ?? []
  await page.goto(link)
  await page.getByLabel('New password').fill(NEW_PASSWORD)
  await expect(page).toHaveURL(/\/reset-password$/)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await expect(page.getByText('Your new password works from now on.')).toBeVisible()
  await signIn(page, { email: person.email, password: NEW_PASSWORD })
})

test('a link that was used works no more', async ({ page, api, mailbox, complaints }) => {
  complaints.expect(/422 \(Unprocessable Entity\).*\/reset-password/)
  const person = await api.signUp()
  await visit(page, '/forgot-password')
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByRole('button', { name: 'Send me the link' }).click()
  const mail = await mailbox.newest(person.email, '/reset-password#token=')
  const [link = ''] = /http\S+\/reset-password#token=\S+/.exec(mail.text) ?? []
  for (const outcome of ['Your new password works from now on.', 'This link works no more']) {
    await page.goto(link)
    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Set the password' }).click()
    await expect(page.getByText(outcome)).toBeVisible()
  }
})

test('a second factor is set up, and asked for', async ({ page, api, complaints }) => {
  // Nobody has exported anything; and one code is wrong on purpose.
  complaints.expect(/404 \(Not Found\).*\/me\/export/)
  complaints.expect(/422 \(Unprocessable Entity\).*\/auth\/second-factor/)
  const person = await api.signUp()
  await signIn(page, person)
  let recoveryCode = ''
  let key = ''

  await test.step('set it up', async () => {
    await visit(page, '/profile/security')
    await page.getByRole('button', { name: 'Set up' }).click()
    const code = page.getByLabel('Then enter the code that the app shows')
    await expect(code).toBeFocused()
    key = (await page.getByText(/^(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}$/).textContent()) ?? ''
    await code.fill(totp(key))
    const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
    await expect(codes).toHaveCount(10)
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    recoveryCode = (await codes.first().textContent()) ?? ''
    await page.getByRole('button', { name: 'I have kept them' }).click()
    await expect(page.getByText('10 recovery codes left')).toBeVisible()
  })

  await test.step('sign in with a code of the app', async () => {
    await signOut(page)
    await enterPassword(page, person)
    const code = page.getByLabel('Code from your authenticator app')
    await expect(code).toBeFocused()
    await expectAccessible(page)
    await code.fill('000000')
    await expect(page.getByText(/^This is not the code/)).toBeVisible()
    // The code of now was used when it was set up, and none works twice.
    await code.fill(totp(key, 1))
    await expect(page).not.toHaveURL(/\/sign-in/)
  })

  await test.step('sign in with a recovery code', async () => {
    await signOut(page)
    await enterPassword(page, person)
    await page.getByRole('button', { name: 'Use a recovery code instead' }).click()
    await page.getByLabel('Recovery code').fill(recoveryCode)
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click()
    await expect(page).not.toHaveURL(/\/sign-in/)
    await visit(page, '/profile/security')
    await expect(page.getByText('9 recovery codes left')).toBeVisible()
  })
})

test('one’s data is exported and downloaded, and the account closed', async ({
  page,
  api,
  complaints,
}) => {
  complaints.expect(/404 \(Not Found\).*\/me\/export/)
  complaints.expect(/401 \(Unauthorized\).*\/auth\/login/)
  const person = await api.signUp()
  await api.addVehicle(person)
  await signIn(page, person)

  await test.step('the export', async () => {
    await visit(page, '/profile/security')
    await page.getByRole('button', { name: 'Request an export' }).click()
    await expect(page.getByRole('main').getByText('Your export is ready')).toBeVisible({
      timeout: 60_000,
    })
    const coming = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    const download = await coming
    expect(download.suggestedFilename()).toBe('my-data.zip')
    const file = await readFile(await download.path())
    expect(file.subarray(0, 2).toString()).toBe('PK')
  })

  await test.step('the end', async () => {
    await page.getByRole('button', { name: 'Close my account' }).click()
    const dialog = page.getByRole('dialog', { name: 'Close your account?' })
    await dialog.getByLabel(/^Type the word/).fill('close')
    await dialog.getByRole('button', { name: 'Close account' }).click()
    await expect(page.getByText('Your account is closed.')).toBeVisible()
    await expect(page).toHaveURL(/\/sign-in$/)
    await page.getByLabel('E-mail address').fill(person.email)
    await page.getByLabel('Password', { exact: true }).fill(person.password)
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByText('That does not match')).toBeVisible()
  })
})

test('an admin makes somebody an attendant, which ends their sign-ins and stands in the log', async ({
  page,
  secondPage,
  api,
  complaints,
}) => {
  complaints.expect(/404 \(Not Found\).*\/me\/export/)
  complaints.expect(/401 \(Unauthorized\)/)
  const person = await api.signUp('Noor Haddad')
  await signIn(secondPage, person)
  await signIn(page, admin())

  await page.getByRole('link', { name: 'Users' }).click()
  await page.getByRole('searchbox', { name: 'Search users' }).fill(person.email)
  await expect(page.getByText('1 user', { exact: true })).toBeVisible()
  await expectNoSidewaysScroll(page)
  await page.getByRole('link', { name: 'Noor Haddad' }).click()
  await expect(page.getByRole('list', { name: 'Sign-ins' }).getByRole('listitem')).toHaveCount(2)
  await page.getByRole('checkbox', { name: 'Attendant' }).check()
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expect(page.getByText('They are signed in nowhere.')).toBeVisible()
  await expectNoSidewaysScroll(page)

  await page.getByRole('link', { name: 'Entries about them' }).click()
  const entry = page.getByRole('listitem').filter({ hasText: 'Changed roles' })
  await expect(entry.getByText('driver, attendant')).toBeVisible()
  await expect(entry.getByText('Alex Admin')).toBeVisible()
  await expectNoSidewaysScroll(page)

  await secondPage.goto('/vehicles')
  await expect(secondPage).toHaveURL(/\/sign-in\?next=\/vehicles/)
})
