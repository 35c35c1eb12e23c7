import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditEntry } from '@/api/audit'
import { openPage, settled } from '@/test/page'
import { anAccount } from '@/test/people'
import { server, useServer } from '@/test/server'
import AuditLogView from './AuditLogView.vue'

useServer()
enableAutoUnmount(afterEach)

const anEntry = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  id: 1,
  at: '2026-11-25T17:45:00Z',
  actor: { id: 2, name: 'Alex Admin' },
  action: 'user.roles-changed',
  subject: 'user',
  subject_id: 7,
  before: { roles: ['driver'] },
  after: { roles: ['driver', 'attendant'] },
  request_id: '62f552fda3d44d3d',
  client: '192.0.2.7',
  ...change,
})

const asked: string[] = []
let entries: AuditEntry[]
beforeEach(() => {
  asked.length = 0
  entries = [anEntry()]
  server.use(
    http.get('*/api/v1/audit-log', ({ request }) => {
      asked.push(decodeURIComponent(new URL(request.url).search))
      return HttpResponse.json({ items: entries, next_cursor: null, total: null })
    }),
    http.get('*/api/v1/users/2', () =>
      HttpResponse.json(anAccount({ id: 2, name: 'Alex Admin' }), { headers: { ETag: '"1"' } }),
    ),
  )
})

async function open(path = '/admin/audit-log') {
  const { page, router } = await openPage(AuditLogView, path)
  await settled(() => page.find('ol').exists() || page.text().includes('No entry matches'))
  return {
    page,
    text: () => page.text().replace(/\s+/g, ' '),
    path: () => decodeURIComponent(router.currentRoute.value.fullPath),
  }
}

describe('AuditLogView', () => {
  it('says who did what to whom, and what was other before', async () => {
    const { page, text } = await open()
    expect(text()).toMatch(/Changed roles ?on user 7/)
    expect(text()).toMatch(/Alex Admin ?from 192\.0\.2\.7/)
    expect(page.find('del').text()).toBe('driver')
    expect(page.find('ins').text()).toBe('driver, attendant')
    expect(page.find('ol a').attributes('href')).toBe('/admin/users/7')
    expect(page.find('[aria-label="Copy the request id 62f552fda3d44d3d"]').exists()).toBe(true)
  })

  it('writes an act that it has no words for as the log does, and nobody as nobody', async () => {
    entries = [
      anEntry({ action: 'gate.opened', subject: 'gate', actor: null, before: null, after: null }),
    ]
    const { text } = await open()
    expect(text()).toMatch(/gate\.opened ?on gate 7/)
    expect(text()).toContain('The system or a stranger')
  })

  it('asks for whole days of the installation, whatever the zone of the browser', async () => {
    await open('/admin/audit-log?actor=2&from=2026-11-01&to=2026-11-26')
    await settled(() => asked.some((each) => each.includes('2026-10-31T23:00:00Z')))
    expect(asked.at(-1)).toBe(
      '?limit=50&actor_id=2&from=2026-10-31T23:00:00Z&to=2026-11-26T23:00:00Z',
    )
  })

  it('narrows to a person from an entry, and back', async () => {
    const { page, path } = await open()
    await page.find('button[title="Only what Alex Admin did"]').trigger('click')
    await settled(() => path() === '/admin/audit-log?actor=2')
    await settled(() => page.find('[aria-label="Remove the filter: Alex Admin"]').exists())
    await page.find('[aria-label="Remove the filter: Alex Admin"]').trigger('click')
    await settled(() => path() === '/admin/audit-log')
    expect(path()).toBe('/admin/audit-log')
  })

  it('keeps what and on what in the address, and takes no number that is none', async () => {
    const { page, path, text } = await open()
    const [what, onWhat] = page.findAll('select')
    await what?.setValue('user.disabled')
    await settled(() => path().includes('action='))
    await onWhat?.setValue('user')
    await settled(() => path().includes('subject='))
    const number = page.find('input[inputmode=numeric]')
    await number.setValue('seven')
    await number.trigger('change')
    expect(text()).toContain('Enter a whole number.')
    await number.setValue('7')
    await number.trigger('change')
    await settled(() => path().includes('number='))
    expect(path()).toBe('/admin/audit-log?action=user.disabled&subject=user&number=7')
  })

  it('says that nothing matches', async () => {
    entries = []
    const { text } = await open('/admin/audit-log?action=lot.created')
    expect(text()).toContain('No entry matches')
  })
})
