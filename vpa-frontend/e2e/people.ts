import { expect, type Page } from '@playwright/test'
import { newEmail, PASSWORD } from './api.ts'
import type { Mailbox } from './mailbox.ts'
import type { Credentials } from './system.ts'

/** Makes an account on the page of a new one, with the code of the mail that comes. */
export async function register(page: Page, mailbox: Mailbox, name: string): Promise<Credentials> {
  const email = newEmail()
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Send me the code' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Look into your mail' })).toBeVisible()
  await page.getByLabel('Code from the mail').fill(await mailbox.code(email))
  return { email, password: PASSWORD }
}

/** Signs in on the sign-in page, and waits until that is done. */
export async function signIn(page: Page, { email, password }: Credentials): Promise<void> {
  await page.goto('/sign-in')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await expect(page).not.toHaveURL(/\/sign-in/)
}
