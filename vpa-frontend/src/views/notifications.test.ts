import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Notification, NotificationChoice } from '@/api/notifications'
import NotificationBell from '@/features/notifications/NotificationBell.vue'
import { isStreaming } from '@/lib/streaming'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import NotificationsView from './NotificationsView.vue'

const toast = vi.hoisted(() => ({
  done: vi.fn(),
  failed: vi.fn(),
  unexpected: vi.fn(),
  dismiss: vi.fn(),
}))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)

function aNotification(change: Partial<Notification> = {}): Notification {
  return {
    id: 7,
    kind: 'money',
    title: 'Your parking at Altmarkt',
    text: 'Bay A-12, today from 10:00.',
    link: '/bookings/42',
    created_at: '2026-11-26T10:00:00Z',
    read_at: null,
    ...change,
  }
}

let all: Notification[]
let choices: NotificationChoice[]
let marked: object[]
let asked: URLSearchParams[]

beforeEach(() => {
  for (const said of Object.values(toast)) said.mockReset()
  all = [
    aNotification(),
    aNotification({ id: 5, title: 'Refund', link: null, read_at: '2026-11-26T11:00:00Z' }),
  ]
  choices = [
    { kind: 'account', mail: true, app: false, mail_locked: true, app_locked: true },
    { kind: 'nudge', mail: false, app: false, mail_locked: false, app_locked: false },
  ]
  marked = []
  asked = []
  server.use(
    http.get('*/api/v1/notifications', ({ request }) => {
      const query = new URL(request.url).searchParams
      asked.push(query)
      const unread = all.filter((each) => each.read_at === null)
      const items = query.has('unread') ? unread : all
      return HttpResponse.json({ items, next_cursor: null, unread: unread.length })
    }),
    http.post('*/api/v1/notifications/read', async ({ request }) => {
      marked.push((await request.json()) as object)
      all = all.map((each) => ({ ...each, read_at: '2026-11-26T12:00:00Z' }))
      return HttpResponse.json({ unread: 0 })
    }),
    http.get('*/api/v1/me/notification-settings', () => HttpResponse.json({ items: choices })),
  )
})

const panel = () => document.querySelector<HTMLElement>('.notification-panel')
const buttonOf = (part: ParentNode | null, name: string) =>
  given(
    [...(part?.querySelectorAll<HTMLElement>('button, a') ?? [])].find(
      (each) => (each.getAttribute('aria-label') ?? each.textContent).trim() === name,
    ),
  )

async function openBell() {
  const opened = await openPage(NotificationBell, '/')
  const bell = opened.page.get('button')
  await settled(() => asked.length > 0 && bell.attributes('aria-label') !== undefined)
  return { ...opened, bell }
}

async function openPanel() {
  const opened = await openBell()
  await opened.bell.trigger('click')
  await settled(() => (panel()?.querySelectorAll('li').length ?? 0) > 0)
  return opened
}

describe('the bell', () => {
  it('says how much is unread', async () => {
    const { bell } = await openBell()
    await settled(() => bell.text() === '1')
    expect(bell.attributes('aria-label')).toBe('Notifications, 1 unread')
  })

  it('says no number where all is read', async () => {
    all = []
    const { bell } = await openBell()
    expect(bell.text()).toBe('')
    expect(bell.attributes('aria-label')).toBe('Notifications')
    await bell.trigger('click')
    await settled(() => panel()?.textContent.includes('Nothing yet') ?? false)
    expect(panel()?.textContent).toContain('Nothing yet')
  })

  it('leads to what one was told of, which is read by that', async () => {
    const { router, bell } = await openPanel()
    given(panel()?.querySelector<HTMLElement>('a[href="/bookings/42"]')).click()
    await settled(() => marked.length > 0 && bell.text() === '')
    expect(router.currentRoute.value.path).toBe('/bookings/42')
    expect(marked).toEqual([{ ids: [7] }])
    expect(panel()).toBeNull()
  })

  it('marks all as read, up to the newest that is shown', async () => {
    await openPanel()
    buttonOf(panel(), 'Mark all as read').click()
    await settled(() => panel()?.querySelectorAll('[data-unread]').length === 0)
    expect(marked).toEqual([{ until_id: 7 }])
    expect(panel()?.textContent).not.toContain('Mark all as read')
  })

  it('says when that fails', async () => {
    server.use(http.post('*/api/v1/notifications/read', () => refuse(500, 'internal')))
    await openPanel()
    buttonOf(panel(), 'Mark all as read').click()
    await settled(() => toast.unexpected.mock.calls.length === 1)
    buttonOf(panel(), 'Mark as read: Your parking at Altmarkt').click()
    await settled(() => toast.unexpected.mock.calls.length === 2)
    expect(toast.unexpected).toHaveBeenCalledTimes(2)
  })

  it('leads to all of them', async () => {
    const { router } = await openPanel()
    buttonOf(panel(), 'See all').click()
    await settled(() => router.currentRoute.value.name === 'notifications')
    expect(router.currentRoute.value.name).toBe('notifications')
  })
})

class FakeSource extends EventTarget {
  static opened: FakeSource[] = []
  readonly close = vi.fn()
  constructor(readonly url: string) {
    super()
    FakeSource.opened.push(this)
  }
  tell(name: string, lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(name, { data: '{"id":42}', lastEventId }))
  }
}

describe('live events', () => {
  let tickets: number
  beforeEach(() => {
    tickets = 0
    FakeSource.opened = []
    vi.stubGlobal('EventSource', FakeSource)
    vi.spyOn(Math, 'random').mockReturnValue(-0.499)
    server.use(
      http.post('*/api/v1/events/ticket', () => {
        tickets += 1
        if (tickets === 1) return refuse(503, 'service-unavailable')
        const url = 'https://live.example/events'
        return HttpResponse.json({ url, ticket: `t${tickets}`, expires_at: '2026-11-26T10:01:00Z' })
      }),
    )
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  it('have what changed asked for again, and are opened anew with a ticket of their own', async () => {
    const { page } = await openBell()
    await settled(() => FakeSource.opened.length === 1)
    const first = given(FakeSource.opened[0])
    expect(first.url).toBe('https://live.example/events?ticket=t2')
    expect(isStreaming.value).toBe(false)

    let before = asked.length
    first.tell('open')
    expect(isStreaming.value).toBe(true)
    await settled(() => asked.length > before)

    before = asked.length
    first.tell('notification', 'r-1')
    first.tell('reservation', 'r-2')
    await settled(() => asked.length > before)
    expect(asked.length).toBe(before + 1)

    first.tell('error')
    expect(first.close).toHaveBeenCalledOnce()
    expect(isStreaming.value).toBe(false)
    await settled(() => FakeSource.opened.length === 2)
    const second = given(FakeSource.opened[1])
    expect(second.url).toBe('https://live.example/events?ticket=t3&last_event_id=r-2')

    before = asked.length
    second.tell('open')
    expect(asked.length).toBe(before)
    second.tell('resync')
    await settled(() => asked.length > before)
    expect(asked.length).toBe(before + 1)

    page.unmount()
    expect(second.close).toHaveBeenCalledOnce()
    expect(isStreaming.value).toBe(false)
  })
})

describe('the page', () => {
  const open = async () => {
    const opened = await openPage(NotificationsView, '/notifications')
    await settled(() => opened.page.findAll('input[type=checkbox]').length === 4)
    return opened.page
  }

  it('lists what one was told, and what of it is unread', async () => {
    const page = await open()
    expect(page.findAll('.item')).toHaveLength(2)
    await page.get('input[value=unread]').setValue()
    await settled(() => page.findAll('.item').length === 1)
    expect(page.get('.item').text()).toContain('Your parking at Altmarkt')
    await page.get('.item button').trigger('click')
    await settled(() => page.text().includes('All is read'))
    expect(marked).toEqual([{ ids: [7] }])
  })

  it('has one choose by which way a kind comes', async () => {
    const sent: unknown[] = []
    server.use(
      http.patch('*/api/v1/me/notification-settings', async ({ request }) => {
        sent.push(await request.json())
        choices = choices.map((each) => (each.kind === 'nudge' ? { ...each, mail: true } : each))
        return HttpResponse.json({ items: choices })
      }),
    )
    const page = await open()
    const [accountMail, accountApp, nudgeMail] =
      page.findAll<HTMLInputElement>('input[type=checkbox]')
    expect(accountMail?.element.disabled && accountApp?.element.disabled).toBe(true)
    expect(nudgeMail?.element.parentElement?.textContent).toContain('When you were away, by mail')
    await nudgeMail?.setValue(true)
    await settled(() => toast.done.mock.calls.length === 1)
    expect(sent).toEqual([{ items: [{ kind: 'nudge', mail: true }] }])
  })

  it('takes a tick back that was not kept', async () => {
    server.use(http.patch('*/api/v1/me/notification-settings', () => refuse(500, 'internal')))
    const page = await open()
    const box = given(page.findAll<HTMLInputElement>('input[type=checkbox]')[2])
    await box.setValue(true)
    await settled(() => toast.unexpected.mock.calls.length === 1)
    expect(box.element.checked).toBe(false)
  })
})
