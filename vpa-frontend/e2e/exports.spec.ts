import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Locator, Page } from '@playwright/test'
import { expectAccessible, expectNoSidewaysScroll, isReady, visit } from './checks.ts'
import { expect, test } from './fixtures.ts'
import { signIn } from './people.ts'
import { admin } from './system.ts'

const ROWS = 100_000
const SUBJECT = 'counted-bay'

/** Many entries of the audit log, of a subject that nothing else has. */
function writeRows(): void {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  execFileSync(here('../../.venv/bin/python'), [here('audit_rows.py'), SUBJECT, String(ROWS)])
}

/** The page as it should be for everybody, at this width and at the narrow ones. */
async function expectSound(page: Page): Promise<void> {
  await isReady(page)
  await expectAccessible(page)
  await expectNoSidewaysScroll(page)
}

/** The newest export, which stands first. */
const newest = (page: Page): Locator => page.getByRole('table').getByRole('row').nth(1)

/** The exports of what the audit log shows of the subject; begun from its list. */
async function exportList(page: Page, format: string): Promise<void> {
  await visit(page, `/admin/audit-log?subject=${SUBJECT}`)
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await page.getByRole('menuitem', { name: `As ${format}` }).click()
  await page.getByRole('button', { name: 'Show it' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Exports' })).toBeVisible()
}

test('an admin exports many rows, cancels one export and downloads another', async ({ page }) => {
  writeRows()
  await signIn(page, admin())

  await test.step('its bar moves, until it is cancelled', async () => {
    await exportList(page, 'Excel (XLSX)')
    const bar = newest(page).getByRole('progressbar')
    const seen = new Set<number>()
    await expect
      .poll(
        async () => {
          const value = await bar.getAttribute('value', { timeout: 5000 }).catch(() => null)
          if (value !== null) seen.add(Number(value))
          return seen.size
        },
        { intervals: [200], timeout: 60_000 },
      )
      .toBeGreaterThanOrEqual(3)
    await newest(page).getByRole('button', { name: 'Cancel' }).click()
    await expect(newest(page).getByText('Cancelled', { exact: true })).toBeVisible()
    await expect(newest(page).getByRole('button', { name: 'Download' })).toBeHidden()
    await expectSound(page)
  })

  await test.step('another one is made to its last row', async () => {
    await exportList(page, 'CSV')
    await expect(newest(page).getByText('CSV · filtered')).toBeVisible()
    const button = newest(page).getByRole('button', { name: 'Download' })
    await expect(button).toBeVisible({ timeout: 90_000 })
    const coming = page.waitForEvent('download')
    await button.click()
    const download = await coming
    expect(download.suggestedFilename()).toMatch(/^audit-\d{4}-\d\d-\d\d\.csv$/)
    const lines = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\r\n')
    expect(lines).toHaveLength(ROWS + 1)
    const subjectAndNumber = (line: string | undefined) => line?.split(',').slice(4, 7)
    expect(subjectAndNumber(lines[0])).toEqual(['Action', 'Subject', 'Number'])
    expect(subjectAndNumber(lines[1])).toEqual(['bay.counted', SUBJECT, '1'])
    expect(subjectAndNumber(lines.at(-1))).toEqual(['bay.counted', SUBJECT, String(ROWS)])
  })

  await test.step('what runs in the background is on a page of its own', async () => {
    await visit(page, '/admin/jobs')
    await expect(page.getByRole('row', { name: /Export of the audit log/ }).first()).toBeVisible()
    await page.getByRole('tab', { name: /^Mail/ }).click()
    await expect(page).toHaveURL(/what=mail/)
    await expectSound(page)
  })
})

test("the operator's reports are listed, or it is said when the first one comes", async ({
  page,
}) => {
  await signIn(page, admin())
  await visit(page, '/admin/reports')
  await expect(
    page.getByText('No report yet').or(page.getByRole('table', { name: 'Reports' })),
  ).toBeVisible()
  await expectSound(page)
})
