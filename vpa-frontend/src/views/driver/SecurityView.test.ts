import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job, SecondFactor, SignInSession } from '@/api/security'
import { saveFile } from '@/lib/save-file'
import { useSession } from '@/stores/session'
import { dialog, press } from '@/test/dialog'
import { given, openPage, settled } from '@/test/page'
import { aSession, aSignIn, aUser } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import SecurityView from './SecurityView.vue'

vi.mock('@/lib/save-file', () => ({ saveFile: vi.fn() }))
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

/** What the server has. */
let sessions: SignInSession[]
let factor: SecondFactor
let job: Job | undefined
const CODES = ['ab2cd-ef3gh', 'kl4mn-pq5rs']

const done = () => new HttpResponse(null, { status: 204 })
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
const aJob = (change: Partial<Job> = {}): Job => ({
  id: 5,
  kind: 'export',
  params: {},
  status: 'queued',
  progress: 0,
  error: null,
  created_at: inDays(0),
  finished_at: null,
  expires_at: inDays(7),
  size: null,
  result_url: null,
  ...change,
})

beforeEach(() => {
  localStorage.clear()
  vi.mocked(saveFile).mockReset()
  for (const said of Object.values(toast)) said.mockReset()
  sessions = [aSession({ id: 30, current: true }), aSession({ id: 31 })]
  factor = { enabled: false, since: null, recovery_codes_left: 0, required: false }
  job = undefined
  server.use(
    http.post('*/auth/login', () => HttpResponse.json(aSignIn())),
    http.get('*/api/v1/me/sessions', () =>
      HttpResponse.json({ items: sessions, next_cursor: null, total: sessions.length }),
    ),
    http.get('*/api/v1/me/totp', () => HttpResponse.json(factor)),
    http.get('*/api/v1/me/export', () => (job ? HttpResponse.json(job) : refuse(404, 'not-found'))),
  )
})

async function open(user = aUser(), path = '/profile/security') {
  const { page, router } = await openPage(SecurityView, path)
  server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn('token', user))))
  await useSession().signIn({ email: user.email, password: 'kerb-paint-17' })
  const text = () => page.text().replace(/\s+/g, ' ')
  await settled(() => text().includes('Request an export') || text().includes('Request a new one'))
  await settled(
    () => page.find('[name=new_password]').exists() && page.find('[name=email]').exists(),
  )
  await settled(() => page.find('[aria-label="Sign-ins"]').exists())
  return {
    page,
    router,
    text,
    input: (name: string) => page.find<HTMLInputElement>(`[name=${name}]`),
  }
}

describe('where one is signed in', () => {
  it('says so in words, this browser first and without an end', async () => {
    sessions = [aSession({ id: 31 }), aSession({ id: 30, current: true, user_agent: 'curl/8.5.0' })]
    const { page } = await open()
    const rows = page.findAll('[aria-label="Sign-ins"] li').map((row) => row.text())
    expect(rows[0]).toMatch(/^curl\s*This browser/)
    expect(rows[1]).toContain('Firefox on Windows')
    expect(rows[1]).toContain('from 192.0.2.7')
    expect(page.findAll('[aria-label^="End the sign-in"]')).toHaveLength(1)
  })

  it('ends one', async () => {
    server.use(
      http.delete('*/api/v1/me/sessions/31', () => {
        sessions = sessions.filter(({ id }) => id !== 31)
        return done()
      }),
    )
    const { text } = await open()
    press('End the sign-in: Firefox on Windows')
    await settled(() => text().includes('You are signed in nowhere else.'))
    expect(text()).toContain('You are signed in nowhere else.')
    expect(toast.done).toHaveBeenCalledWith('That sign-in was ended.')
  })

  it('ends all others after a question', async () => {
    server.use(
      http.delete('*/api/v1/me/sessions', () => {
        sessions = sessions.filter(({ current }) => current)
        return done()
      }),
    )
    const { text } = await open()
    press('End all others')
    await settled(() => dialog() !== null)
    press('End all others', given(dialog()))
    await settled(() => text().includes('You are signed in nowhere else.'))
    expect(text()).toContain('You are signed in nowhere else.')
  })
})

describe('the second factor', () => {
  async function setUp(user = aUser()) {
    server.use(
      http.post('*/api/v1/me/totp', () =>
        HttpResponse.json(
          { secret: 'K3PUEZBCNWHWIJ5G', uri: 'otpauth://totp/x?secret=K3PUEZBCNWHWIJ5G' },
          { status: 201 },
        ),
      ),
      http.post('*/api/v1/me/totp/confirm', async ({ request }) => {
        const { code } = (await request.json()) as { code: string }
        if (code !== '123456') return refuse(422, 'invalid-code')
        factor = { ...factor, enabled: true, since: inDays(0), recovery_codes_left: 10 }
        return HttpResponse.json({ recovery_codes: CODES })
      }),
    )
    const opened = await open(user)
    press('Set up')
    await settled(() => opened.page.find('[autocomplete=one-time-code]').exists())
    return opened
  }

  it('shows the key as a picture and as text, and takes no wrong code', async () => {
    const { page, text, input } = await setUp()
    expect(page.find('svg[role=img]').attributes('aria-label')).toMatch(/QR code/)
    expect(text()).toContain('K3PU EZBC NWHW IJ5G')
    await input('code').setValue('000000')
    await settled(() => text().includes('This is not the code.'))
    expect(input('code').attributes('aria-invalid')).toBe('true')
  })

  it('shows the recovery codes once, to be kept', async () => {
    const { page, text, input } = await setUp()
    await input('code').setValue('123456')
    await settled(() => text().includes(CODES[0] ?? ''))
    expect(page.findAll('[aria-label="Recovery codes"] li').map((each) => each.text())).toEqual(
      CODES,
    )
    press('Download')
    const [file, name] = given(vi.mocked(saveFile).mock.calls[0])
    expect(name).toBe('recovery-codes.txt')
    const written = await new Response(file).text()
    expect(written).toContain('Recovery codes of asha@example.com')
    for (const code of CODES) expect(written).toContain(`\n${code}\n`)
    press('I have kept them')
    await settled(() => text().includes('10 recovery codes left'))
    expect(text()).not.toContain(CODES[0])
  })

  it('leads an admin who had to set one up back to where they came from', async () => {
    factor = { ...factor, required: true }
    const admin = aUser({ roles: ['admin'] })
    const { page, text, input } = await setUp(admin)
    expect(text()).toContain('Admins need a second factor')
    await input('code').setValue('123456')
    await settled(() => text().includes(CODES[0] ?? ''))
    // A way on would lead away from the codes.
    expect(text()).not.toContain('Go on')
    press('I have kept them')
    await settled(() => text().includes('The pages of admins are open to you.'))
    const link = page.findAll('a').find((each) => each.text() === 'Go on')
    expect(link?.attributes('href')).toBe('/admin/lots')
    expect(text()).toContain('Admins need one, so it cannot be removed.')
  })

  it('is removed after a question', async () => {
    factor = { ...factor, enabled: true, since: '2026-11-01T09:00:00Z', recovery_codes_left: 2 }
    server.use(
      http.delete('*/api/v1/me/totp', () => {
        factor = { ...factor, enabled: false, since: null }
        return done()
      }),
    )
    const { text } = await open()
    expect(text()).toContain('2 recovery codes left')
    expect(text()).toContain('Make new recovery codes before they run out.')
    press('Remove')
    await settled(() => dialog() !== null)
    press('Remove second factor', given(dialog()))
    await settled(() => toast.done.mock.calls.length > 0)
    expect(text()).not.toContain('recovery codes left')
    expect(toast.done).toHaveBeenCalledWith('Your second factor was removed.')
  })
})

describe('the password', () => {
  it('is changed, and this browser goes on with a new sign-in', async () => {
    let sent: unknown
    server.use(
      http.post('*/api/v1/me/password', async ({ request }) => {
        sent = await request.json()
        return HttpResponse.json(aSignIn('token-2'))
      }),
    )
    const { input, page } = await open()
    await input('current_password').setValue('kerb-paint-17')
    await input('new_password').setValue('kerb-paint-18')
    await given(
      page.findAll('form').find((form) => form.find('[name=new_password]').exists()),
    ).trigger('submit')
    await settled(() => toast.done.mock.calls.length > 0)
    expect(sent).toEqual({ current_password: 'kerb-paint-17', new_password: 'kerb-paint-18' })
    expect(input('current_password').element.value).toBe('')
    let bearer: string | null = null
    server.use(
      http.delete('*/api/v1/me/sessions/31', ({ request }) => {
        bearer = request.headers.get('authorization')
        return done()
      }),
    )
    press('End the sign-in: Firefox on Windows')
    await settled(() => bearer !== null)
    expect(bearer).toBe('Bearer token-2')
  })

  it('says at its field that the current one is wrong, and that nothing changes nothing', async () => {
    server.use(http.post('*/api/v1/me/password', () => refuse(401, 'invalid-credentials')))
    const { input, page, text } = await open()
    const form = given(
      page.findAll('form').find((each) => each.find('[name=new_password]').exists()),
    )
    await input('current_password').setValue('kerb-paint-17')
    await input('new_password').setValue('kerb-paint-17')
    await form.trigger('submit')
    await settled(() => text().includes('Use another one than before.'))
    await input('new_password').setValue('kerb-paint-18')
    await form.trigger('submit')
    await settled(() => text().includes('This is not your current password.'))
    expect(input('new_password').element.value).toBe('kerb-paint-18')
    expect(useSession().isSignedIn).toBe(true)
  })
})

describe('the address', () => {
  it('is another one once the codes of both were entered', async () => {
    const sent: unknown[] = []
    server.use(
      http.post('*/api/v1/me/email', async ({ request }) => {
        sent.push(await request.json())
        const challenge = { challenge_id: 'c-9', expires_at: inDays(1), resend_after: inDays(1) }
        return HttpResponse.json(challenge, { status: 202 })
      }),
      http.post('*/api/v1/me/email/confirm', async ({ request }) => {
        sent.push(await request.json())
        return sent.length === 2
          ? refuse(422, 'invalid-code')
          : HttpResponse.json(aUser({ email: 'new@example.org' }))
      }),
    )
    const { page, text, input } = await open()
    await input('email').setValue('new@example.org')
    await given(page.findAll('form').find((form) => form.find('[name=email]').exists())).trigger(
      'submit',
    )
    await settled(() => input('old_code').exists())
    await input('old_code').setValue('111111')
    await input('new_code').setValue('222222')
    const codes = given(page.findAll('form').find((form) => form.find('[name=old_code]').exists()))
    await codes.trigger('submit')
    await settled(() => text().includes('One of the codes is wrong.'))
    await codes.trigger('submit')
    await settled(() => text().includes('You sign in as new@example.org'))
    expect(useSession().user?.email).toBe('new@example.org')
    expect(sent[1]).toEqual({ challenge_id: 'c-9', old_code: '111111', new_code: '222222' })
  })
})

describe('one’s data', () => {
  it('is exported in the background, followed, and downloaded', async () => {
    server.use(
      http.post('*/api/v1/me/export', () => {
        job = aJob({ status: 'running', progress: 40 })
        return HttpResponse.json(job, { status: 202 })
      }),
      http.get('*/api/v1/jobs/5/result', () => HttpResponse.text('PK')),
    )
    const { page, text } = await open()
    press('Request an export')
    await settled(() => page.find('progress').exists())
    expect(page.find<HTMLProgressElement>('progress').element.value).toBe(40)
    job = aJob({ status: 'done', progress: 100, result_url: '/api/v1/jobs/5/result' })
    // It is asked about every other second, and machines have slow days.
    for (let asks = 0; asks < 3; asks += 1) {
      await settled(() => text().includes('Your export is ready'))
    }
    press('Download')
    await settled(() => vi.mocked(saveFile).mock.calls.length > 0)
    const [file, name] = given(vi.mocked(saveFile).mock.calls[0])
    expect([name, await new Response(file).text()]).toEqual(['my-data.zip', 'PK'])
  })

  it('says that an export failed, or is gone', async () => {
    job = aJob({ status: 'failed' })
    const failed = await open()
    expect(failed.text()).toContain('tell us the number 5')
    job = aJob({ status: 'done', expires_at: inDays(-1) })
    const gone = await open()
    expect(gone.text()).toContain('Your last export is there no more.')
  })
})

describe('closing the account', () => {
  async function ask() {
    const opened = await open()
    press('Close my account')
    await settled(() => dialog() !== null)
    const type = (word: string) => {
      const input = given(dialog()?.querySelector('input'))
      input.value = word
      input.dispatchEvent(new Event('input', { bubbles: true }))
      press('Close account', given(dialog()))
    }
    return { ...opened, type }
  }

  it('needs the word, and leads out', async () => {
    let times = 0
    server.use(
      http.delete('*/api/v1/me', () => {
        times += 1
        return done()
      }),
    )
    const { router, type } = await ask()
    expect(dialog()?.textContent).toContain('payments, refunds and receipts')
    type('shut')
    await settled(() => dialog()?.textContent?.includes('Type close, as it is') ?? false)
    expect(times).toBe(0)
    type(' Close ')
    await settled(() => router.currentRoute.value.name === 'sign-in')
    expect([times, useSession().isSignedIn]).toEqual([1, false])
  })

  it.each([
    ['account-in-use', 'There are bookings that are not over'],
    ['last-admin', 'You are the last admin'],
  ])('says what is in the way: %s', async (slug, title) => {
    server.use(http.delete('*/api/v1/me', () => refuse(409, slug)))
    const { type } = await ask()
    type('close')
    await settled(() => dialog()?.textContent?.includes(title) ?? false)
    expect(dialog()?.textContent).toContain(title)
    expect(useSession().isSignedIn).toBe(true)
  })
})
