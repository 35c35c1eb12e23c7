import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expectAccessible, expectNoSidewaysScroll } from './checks.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { demoAccount, folder } from './system.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** Lets the stays of a driver have been last month, and has its report made; gives the month. */
async function makeReport(email: string): Promise<string> {
  const { stdout } = await run(
    join(root, '.venv/bin/python'),
    [join(root, 'vpa-frontend/e2e/last_month.py'), email],
    {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        PYTHONPATH: root,
        ENV_FILE: '/dev/null',
        INSTANCE_PATH: join(folder, 'instance'),
        CURRENCY: 'EUR',
        TIMEZONE: 'Europe/Berlin',
        LOCALE: 'en-IE',
      },
    },
  )
  return stdout.trim()
}

test('a driver opens the report of last month', async ({ page, api }) => {
  const driver = await api.signUp()
  await signIn(page, driver)
  await test.step('says when the first one comes', async () => {
    await page.goto('/reports')
    await expect(page.getByText('No report yet')).toBeVisible()
    await expect(page.getByText(/^Your next one comes on 1 /)).toBeVisible()
    await expectAccessible(page)
  })

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
  for (const act of ['check-in', 'check-out']) {
    await api.post(`/reservations/${String(booking.id)}/${act}`, {}, attendant)
  }
  const month = await makeReport(driver.email)
  const name = new Intl.DateTimeFormat('en-IE', {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(new Date(`${month}-01T00:00:00Z`))

  await test.step('shows what the month came to', async () => {
    await page.reload()
    await expect(page.getByRole('heading', { name })).toBeVisible()
    await expect(page.getByText('1 visit', { exact: true })).toBeVisible()
    await expect(page.getByText(/Altmarkt.* · 1 visit · €/)).toBeVisible()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })

  await test.step('opens it as PDF and for a spreadsheet', async () => {
    for (const [button, ending, begin] of [
      [`PDF of ${name}`, 'pdf', '%PDF-'],
      [`Excel file of ${name}`, 'xlsx', 'PK'],
    ] as const) {
      const coming = page.waitForEvent('download')
      await page.getByRole('button', { name: button }).click()
      const file = await coming
      expect(file.suggestedFilename()).toBe(`parking-${month}.${ending}`)
      const content = await readFile(await file.path())
      expect(content.subarray(0, begin.length).toString('latin1')).toBe(begin)
    }
  })

  await test.step('has it mailed once more', async () => {
    await page.getByRole('button', { name: `Mail me ${name}` }).click()
    await expect(page.getByText(`It is on its way to ${driver.email}.`)).toBeVisible()
  })
})
