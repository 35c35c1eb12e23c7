import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Account } from '@/api/users'
import { dialog, press } from '@/test/dialog'
import { given, openPage, settled } from '@/test/page'
import { aSession, anAccount } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import UserView from './UserView.vue'

useServer()
enableAutoUnmount(afterEach)

/** The user as the server has them; each change has another tag. */
let account: Account
let version: number
let sessions: unknown[]
const sent: unknown[] = []
const tag = () => `"v${String(version)}"`
const answer = () => HttpResponse.json(account, { headers: { ETag: tag() } })

function changeElsewhere(change: Partial<Account>): void {
  account = { ...account, ...change }
  version += 1
}

beforeEach(() => {
  account = anAccount({ id: 7 })
  version = 1
  sessions = [aSession()]
  sent.length = 0
  server.use(
    http.get('*/api/v1/users/7', answer),
    http.patch('*/api/v1/users/7', async ({ request }) => {
      if (request.headers.get('If-Match') !== tag()) return refuse(412, 'precondition-failed')
      const body = (await request.json()) as Partial<Account>
      sent.push(body)
      changeElsewhere(body)
      return answer()
    }),
    http.get('*/api/v1/users/7/sessions', () =>
      HttpResponse.json({ items: sessions, next_cursor: null, total: sessions.length }),
    ),
  )
})

async function open() {
  const { page } = await openPage(UserView, '/admin/users/7')
  await settled(() => page.find('form').exists() && page.find('[aria-label="Sign-ins"]').exists())
  return {
    page,
    text: () => page.text().replace(/\s+/g, ' '),
    box: (name: string) => page.find<HTMLInputElement>(`[name=${name}]`),
    save: () => page.find('form').trigger('submit'),
  }
}

describe('UserView', () => {
  it('shows who it is and where they are signed in', async () => {
    const { page, text } = await open()
    expect(page.find('h1').text()).toBe('Asha Rao')
    expect(text()).toContain('asha@example.com')
    expect(text()).toContain('Firefox on Windows')
    const links = page.findAll('a').map((link) => link.attributes('href'))
    expect(links).toContain('/admin/audit-log?actor=7')
    expect(links).toContain('/admin/audit-log?subject=user&number=7')
  })

  it('saves only what was changed, in the state in which it was read', async () => {
    const { box, save } = await open()
    await box('attendant').setValue(true)
    await box('permit').setValue(true)
    await save()
    await settled(() => sent.length > 0)
    expect(sent).toEqual([{ roles: ['driver', 'attendant'], accessible_permit: true }])
  })

  it('says what somebody else changed, keeps what was ticked, and then saves it', async () => {
    const { box, save, text } = await open()
    await box('permit').setValue(true)
    changeElsewhere({ active: false })
    await save()
    await settled(() => text().includes('Somebody else changed this user'))
    expect(text()).toContain('The account is active: no')
    expect([box('permit').element.checked, box('active').element.checked]).toEqual([true, false])
    expect(sent).toEqual([])
    await save()
    await settled(() => sent.length > 0)
    expect(sent).toEqual([{ accessible_permit: true }])
  })

  it('does not send a user without a role', async () => {
    const { box, save, text } = await open()
    await box('driver').setValue(false)
    await save()
    await settled(() => text().includes('Choose one role at least.'))
    expect(sent).toEqual([])
  })

  it('says plainly that the last admin stays', async () => {
    account = anAccount({ id: 7, roles: ['admin'] })
    server.use(http.patch('*/api/v1/users/7', () => refuse(409, 'last-admin')))
    const { box, save, text } = await open()
    await box('active').setValue(false)
    await save()
    await settled(() => text().includes('The last admin stays'))
    expect(text()).toContain('Make somebody else an admin first.')
    expect(box('active').element.checked).toBe(false)
  })

  it('ends all their sign-ins after a question that names them', async () => {
    server.use(
      http.delete('*/api/v1/users/7/sessions', () => {
        sessions = []
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const { text } = await open()
    press('End all')
    await settled(() => dialog() !== null)
    expect(dialog()?.textContent).toContain('End all sign-ins of Asha Rao?')
    press('End all sign-ins', given(dialog()))
    await settled(() => text().includes('They are signed in nowhere.'))
    expect(text()).toContain('They are signed in nowhere.')
  })

  it('removes the second factor of somebody who lost it', async () => {
    account = anAccount({ id: 7, second_factor: true })
    server.use(
      http.delete('*/api/v1/users/7/totp', () => {
        changeElsewhere({ second_factor: false })
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const { text } = await open()
    press('Remove second factor')
    await settled(() => dialog() !== null)
    press('Remove second factor', given(dialog()))
    await settled(() => text().includes('None is set up.'))
    expect(text()).toContain('None is set up.')
  })

  it('shows a closed account as such, with nothing to change', async () => {
    account = anAccount({ id: 7, name: '', deleted_at: '2026-11-20T10:00:00Z', active: false })
    const { page } = await openPage(UserView, '/admin/users/7')
    await settled(() => page.text().includes('This account was closed'))
    expect(page.find('form').exists()).toBe(false)
  })

  it('says that there is no such user', async () => {
    server.use(http.get('*/api/v1/users/7', () => refuse(404, 'not-found')))
    const { page } = await openPage(UserView, '/admin/users/7')
    await settled(() => page.text().includes('There is no such user.'))
    expect(page.text()).toContain('There is no such user.')
  })
})
