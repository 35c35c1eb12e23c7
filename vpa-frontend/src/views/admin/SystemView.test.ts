import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it } from 'vitest'
import type { Schema } from '@/api/http'
import { openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import SystemView from './SystemView.vue'

useServer()
enableAutoUnmount(afterEach)

const aFinding = (change: Partial<Schema<'Finding'>> = {}): Schema<'Finding'> => ({
  promise: 'P1',
  rule: 'No two claims of a bay overlap.',
  violations: 0,
  first: [],
  error: null,
  ...change,
})

async function open(findings: Schema<'Finding'>[]) {
  const violations = findings.reduce((sum, each) => sum + each.violations, 0)
  server.use(
    http.get('*/api/v1/system/invariants', () =>
      HttpResponse.json({ at: '2026-11-26T12:00:00Z', took_ms: 840, violations, findings }),
    ),
  )
  const { page } = await openPage(SystemView, '/admin/system')
  await settled(() => page.find('table').exists())
  return page.text()
}

describe('SystemView', () => {
  it('says that everything holds', async () => {
    const text = await open([aFinding(), aFinding({ promise: 'P2' })])
    expect(text).toContain('Everything holds')
    expect(text).toContain('840 ms')
  })

  it('says what is broken, and shows the first rows', async () => {
    const text = await open([aFinding({ violations: 2, first: ['bay 3: claims 7 and 8'] })])
    expect(text).toContain('2 rows break a promise')
    expect(text).toContain('bay 3: claims 7 and 8')
    expect(text).not.toContain('Everything holds')
  })

  it('says what could not be checked', async () => {
    const text = await open([aFinding(), aFinding({ promise: 'P6', error: 'timed out' })])
    expect(text).toContain('1 rule could not be checked')
    expect(text).toContain('timed out')
  })

  it('says that there was no check yet', async () => {
    server.use(http.get('*/api/v1/system/invariants', () => refuse(404, 'not-found')))
    const { page } = await openPage(SystemView, '/admin/system')
    await settled(() => page.text().includes('They were not checked yet'))
    expect(page.text()).toContain('within the hour')
  })
})
