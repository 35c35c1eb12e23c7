import { enableAutoUnmount, type VueWrapper } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { useSession } from '@/stores/session'
import { openPage, settled } from '@/test/page'
import { aSignIn, aUser } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import ForgotPasswordView from './ForgotPasswordView.vue'
import RegisterView from './RegisterView.vue'
import ResetPasswordView from './ResetPasswordView.vue'
import SignInView from './SignInView.vue'
import VerifyView from './VerifyView.vue'

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
beforeEach(() => {
  sessionStorage.clear()
  localStorage.clear()
})

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
const challenge = (change = {}) => ({
  challenge_id: 'c-1',
  expires_at: inMinutes(10),
  resend_after: inMinutes(0.5),
  ...change,
})

async function open(view: Component, path: string) {
  const { page, router } = await openPage(view, path)
  await settled(() => page.find('form, [role=status], [role=alert]').exists())
  return { page, ...parts(page), path: () => router.currentRoute.value.fullPath }
}

function parts(page: VueWrapper) {
  const control = (label: string) => {
    const found = page.findAll('label').find((each) => each.text().startsWith(label))
    return page.find<HTMLInputElement>(`[id="${found?.attributes('for')}"]`)
  }
  return {
    control,
    text: () => page.text().replace(/\s+/g, ' '),
    alerts: () => page.findAll('[role=alert]').map((alert) => alert.text()),
    errors: () => page.findAll('.error').map((error) => error.text()),
    button: (name: string) => page.findAll('button').find((each) => each.text() === name),
    submit: () => page.find('form').trigger('submit'),
  }
}

describe('SignInView', () => {
  async function fill(path = '/sign-in') {
    const opened = await open(SignInView, path)
    await opened.control('E-mail').setValue(' asha@example.com ')
    await opened.control('Password').setValue('kerb-paint-17')
    return opened
  }

  it('suits password managers', async () => {
    const { control } = await open(SignInView, '/sign-in')
    expect(control('E-mail').attributes('autocomplete')).toBe('username')
    expect(control('Password').attributes()).toMatchObject({
      type: 'password',
      autocomplete: 'current-password',
    })
  })

  it('leads to where one wanted to go', async () => {
    let sent: unknown
    server.use(
      http.post('*/auth/login', async ({ request }) => {
        sent = await request.json()
        return HttpResponse.json(aSignIn())
      }),
    )
    const { submit, path } = await fill('/sign-in?next=/lots/12?bay%3D3')
    await submit()
    await settled(() => path() === '/lots/12?bay=3')
    expect(path()).toBe('/lots/12?bay=3')
    expect(sent).toEqual({ email: 'asha@example.com', password: 'kerb-paint-17' })
  })

  it('leads home without a wish, admins to their lots, and nowhere outside', async () => {
    server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn())))
    const driver = await fill('/sign-in?next=//evil.example')
    await driver.submit()
    await settled(() => driver.path() === '/')
    expect(driver.path()).toBe('/')
    const admin = aUser({ roles: ['admin'] })
    server.use(http.post('*/auth/login', () => HttpResponse.json(aSignIn('token', admin))))
    const operator = await fill()
    await operator.submit()
    await settled(() => operator.path() === '/admin/lots')
    expect(operator.path()).toBe('/admin/lots')
  })

  it('says in its place that they do not match, and keeps what was typed', async () => {
    server.use(http.post('*/auth/login', () => refuse(401, 'invalid-credentials')))
    const { submit, alerts, control, path } = await fill()
    await submit()
    await settled(() => alerts().length > 0)
    expect(alerts()[0]).toContain('The e-mail address or the password is wrong.')
    expect(control('Password').element.value).toBe('kerb-paint-17')
    expect(path()).toBe('/sign-in')
  })

  it('says how long to wait after too many tries', async () => {
    server.use(
      http.post('*/auth/login', () =>
        HttpResponse.json(
          { type: '/problems/too-many-requests', retry_after: 600 },
          { status: 429 },
        ),
      ),
    )
    const { submit, alerts } = await fill()
    await submit()
    await settled(() => alerts().length > 0)
    expect(alerts()[0]).toContain('Wait 10 minutes')
  })

  it('needs both, and says what is missing', async () => {
    const { submit, errors } = await open(SignInView, '/sign-in')
    await submit()
    await settled(() => errors().length === 2)
    expect(errors()).toEqual([
      'Enter an e-mail address, such as asha@example.com.',
      'Enter your password.',
    ])
  })

  it('carries the wish along to the sign-up', async () => {
    const { page } = await open(SignInView, '/sign-in?next=/bookings')
    const link = page.findAll('a').find((each) => each.text() === 'Create account')
    expect(link?.attributes('href')).toBe('/register?next=/bookings')
  })
})

describe('SignInView with a second factor', () => {
  async function toCode(expires_at = inMinutes(5)) {
    server.use(
      http.post('*/auth/login', () =>
        HttpResponse.json({ challenge_id: 'c-1', expires_at, methods: ['totp', 'recovery-code'] }),
      ),
    )
    const opened = await open(SignInView, '/sign-in?next=/bookings')
    await opened.control('E-mail').setValue('asha@example.com')
    await opened.control('Password').setValue('kerb-paint-17')
    await opened.submit()
    await settled(() => opened.page.find('h1').text() === 'One more step')
    return opened
  }
  const answerCodes = (answer: () => Response) => {
    const sent: unknown[] = []
    server.use(
      http.post('*/auth/second-factor', async ({ request }) => {
        sent.push(await request.json())
        return answer()
      }),
    )
    return sent
  }

  it('asks for the code of the app, sends it with its last digit, and leads on', async () => {
    const sent = answerCodes(() => HttpResponse.json(aSignIn()))
    const { page, control, path } = await toCode()
    await settled(() => page.find('[autocomplete=one-time-code]').exists())
    expect(document.activeElement).toBe(control('Code from your').element)
    await control('Code from your').setValue('123456')
    await settled(() => path() === '/bookings')
    expect(path()).toBe('/bookings')
    expect(sent).toEqual([{ challenge_id: 'c-1', code: '123456' }])
  })

  it('takes a recovery code instead', async () => {
    const sent = answerCodes(() => HttpResponse.json(aSignIn()))
    const { page, button, control, submit, path } = await toCode()
    await settled(() => button('Use a recovery code instead') !== undefined)
    await button('Use a recovery code instead')?.trigger('click')
    await control('Recovery code').setValue('AB2CDEF3GH')
    await submit()
    await settled(() => path() === '/bookings')
    expect(sent).toEqual([{ challenge_id: 'c-1', code: 'ab2cd-ef3gh' }])
    expect(page.find('[inputmode=numeric]').exists()).toBe(false)
  })

  it('says how many tries are left, and after the last leads back to the password', async () => {
    answerCodes(() => refuse(422, 'invalid-code'))
    const { page, errors, control, alerts, button } = await toCode()
    await settled(() => page.find('[inputmode=numeric]').exists())
    for (const left of ['4 more tries', '3 more tries', '2 more tries', '1 more try']) {
      await control('Code from your').setValue('')
      await control('Code from your').setValue('000000')
      await settled(() => errors()[0]?.includes(left) ?? false)
      expect(errors()[0]).toContain(left)
    }
    await control('Code from your').setValue('')
    await control('Code from your').setValue('000000')
    await settled(() => alerts().some((alert) => alert.includes('wrong five times')))
    await button('Start again')?.trigger('click')
    await settled(() => page.find('h1').text() === 'Sign in')
    expect(page.find('h1').text()).toBe('Sign in')
  })

  it('does not ask for a code when the time for it is over', async () => {
    const { page, alerts } = await toCode(inMinutes(-1))
    await settled(() => alerts().length > 0)
    expect(alerts()[0]).toContain('This took too long')
    expect(page.find('[inputmode=numeric]').exists()).toBe(false)
  })
})

describe('ForgotPasswordView', () => {
  it('says the same whoever has the address, and can be asked again', async () => {
    const sent: unknown[] = []
    server.use(
      http.post('*/auth/forgot-password', async ({ request }) => {
        sent.push(await request.json())
        return new HttpResponse(null, { status: 202 })
      }),
    )
    const { control, submit, text, button } = await open(ForgotPasswordView, '/forgot-password')
    await control('E-mail').setValue(' asha@example.com ')
    await submit()
    await settled(() => text().includes('asha@example.com'))
    expect(text()).toContain('If no account has this address, the mail says so.')
    expect(sent).toEqual([{ email: 'asha@example.com' }])
    await button('send another one')?.trigger('click')
    await settled(() => text().includes('Send me the link'))
    expect(text()).toContain('Send me the link')
  })
})

describe('ResetPasswordView', () => {
  const link = '/reset-password#token=t%2Bk-1'

  it('takes the token out of the address at once, and sends it with the new password', async () => {
    let sent: unknown
    server.use(
      http.post('*/auth/reset-password', async ({ request }) => {
        sent = await request.json()
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const { control, submit, path } = await open(ResetPasswordView, link)
    expect(path()).toBe('/reset-password')
    await settled(() => control('New password').exists())
    await control('New password').setValue('kerb-paint-18')
    await submit()
    await settled(() => path() !== '/reset-password')
    expect(path()).toBe('/sign-in?reset=')
    expect(sent).toEqual({ token: 't+k-1', password: 'kerb-paint-18' })
    expect(JSON.stringify({ ...sessionStorage, ...localStorage })).not.toContain('t+k-1')
  })

  it('says that a link works no more, and where another one comes from', async () => {
    server.use(http.post('*/auth/reset-password', () => refuse(422, 'invalid-reset-link')))
    const { page, control, submit, alerts } = await open(ResetPasswordView, link)
    await settled(() => control('New password').exists())
    await control('New password').setValue('kerb-paint-18')
    await submit()
    await settled(() => alerts().length > 0)
    expect(alerts()[0]).toContain('This link works no more')
    const another = page.findAll('a').find((each) => each.text() === 'Send another link')
    expect(another?.attributes('href')).toBe('/forgot-password')
  })

  it('says at the field why a password will not do', async () => {
    server.use(
      http.post('*/auth/reset-password', () =>
        HttpResponse.json(
          { type: '/problems/invalid-input', errors: { password: ['It is too common.'] } },
          { status: 422 },
        ),
      ),
    )
    const { control, submit, errors } = await open(ResetPasswordView, link)
    await settled(() => control('New password').exists())
    await control('New password').setValue('short')
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(['Use 8 to 128 characters.'])
    await control('New password').setValue('password1')
    await submit()
    await settled(() => errors()[0] === 'It is too common.')
    expect(errors()).toEqual(['It is too common.'])
  })

  it('without a token says where one comes from', async () => {
    const { page, alerts } = await open(ResetPasswordView, '/reset-password')
    expect(alerts()[0]).toContain('The link is missing')
    expect(page.find('input').exists()).toBe(false)
  })
})

describe('RegisterView', () => {
  async function fill(path = '/register', person: Record<string, string> = {}) {
    const opened = await open(RegisterView, path)
    const typed = {
      'Your name': 'Asha Rao',
      'E-mail': 'asha@example.com',
      Password: 'kerb-paint-17',
      ...person,
    }
    for (const [label, value] of Object.entries(typed)) await opened.control(label).setValue(value)
    return opened
  }
  const sentTo = (answer: (body: Record<string, unknown>) => Response) => {
    const bodies: Record<string, unknown>[] = []
    server.use(
      http.post('*/auth/register', async ({ request }) => {
        bodies.push((await request.json()) as Record<string, unknown>)
        return answer(bodies.at(-1) ?? {})
      }),
    )
    return bodies
  }
  const accepted = () => HttpResponse.json(challenge(), { status: 202 })

  it('sends what was typed with the browser’s zone and language, and goes on to the code', async () => {
    const bodies = sentTo(accepted)
    const { submit, path } = await fill('/register?next=/bookings')
    await submit()
    await settled(() => path() !== '/register?next=/bookings')
    expect(path()).toBe('/verify?next=/bookings')
    expect(bodies).toEqual([
      {
        name: 'Asha Rao',
        email: 'asha@example.com',
        password: 'kerb-paint-17',
        phone: null,
        timezone: 'America/St_Johns',
        locale: navigator.language,
      },
    ])
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('kerb-paint-17')
  })

  it('goes without the zone and the language when the API does not know them', async () => {
    const bodies = sentTo((body) =>
      'timezone' in body
        ? HttpResponse.json(
            { type: '/problems/invalid-input', errors: { timezone: ['Unknown.'] } },
            { status: 422 },
          )
        : accepted(),
    )
    const { submit, path } = await fill('/register', { Phone: '+49 351 123' })
    await submit()
    await settled(() => path() === '/verify')
    expect(path()).toBe('/verify')
    expect(bodies.at(-1)).toEqual({
      name: 'Asha Rao',
      email: 'asha@example.com',
      password: 'kerb-paint-17',
      phone: '+49 351 123',
    })
  })

  it('shows while one types which rules the password meets', async () => {
    const { page, control } = await open(RegisterView, '/register')
    const met = () =>
      page.findAll('.rules li').map((rule) => rule.attributes('data-met') === 'true')
    await control('Your name').setValue('Asha Rao')
    expect(met()).toEqual([false, false])
    await control('Password').setValue('kerb')
    expect(met()).toEqual([false, true])
    await control('Password').setValue('asha rao')
    expect(met()).toEqual([true, false])
    await control('Password').setValue('kerb-paint-17')
    expect(met()).toEqual([true, true])
    expect(control('Password').attributes('autocomplete')).toBe('new-password')
  })

  it.each([
    [{ Password: 'short' }, ['Use 8 to 128 characters.']],
    [{ Password: 'x'.repeat(129) }, ['Use 8 to 128 characters.']],
    [{ Password: 'ASHA RAO' }, ['Use something else than your name or address.']],
    [{ 'E-mail': 'asha@' }, ['Enter an e-mail address, such as asha@example.com.']],
    [{ 'Your name': '   ' }, ['Enter your name.']],
    [{ Phone: 'x' }, ['Enter a telephone number, such as +49 351 123456, or leave it empty.']],
  ])('does not send %o', async (person, said) => {
    const bodies = sentTo(accepted)
    const { submit, errors } = await fill('/register', person as Record<string, string>)
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(said)
    expect(bodies).toEqual([])
  })

  it('shows at the password what only the API knows', async () => {
    sentTo(() =>
      HttpResponse.json(
        { type: '/problems/invalid-input', errors: { password: ['Among the first to be tried.'] } },
        { status: 422 },
      ),
    )
    const { submit, errors, control } = await fill()
    await submit()
    await settled(() => errors().length > 0)
    expect(errors()).toEqual(['Among the first to be tried.'])
    expect(document.activeElement).toBe(control('Password').element)
  })
})

describe('VerifyView', () => {
  /** As if the sign-up had been made in this tab, before a reload. */
  function onItsWay(change = {}) {
    sessionStorage.setItem(
      'vv.sign-up',
      JSON.stringify({ ...challenge(), email: 'asha@example.com', wrongTries: 0, ...change }),
    )
  }
  const wrong = () => refuse(422, 'invalid-code', 'The code is wrong or too old.')

  it('tells both who are new and who are known what the mail says', async () => {
    onItsWay()
    const { text, page } = await open(VerifyView, '/verify?next=/bookings')
    expect(text()).toContain('If the address is new, a code is on its way to asha@example.com.')
    expect(text()).toContain('If you already have an account with it, the mail says so')
    const link = page.findAll('a').find((each) => each.text() === 'sign in')
    expect(link?.attributes('href')).toBe('/sign-in?next=/bookings')
  })

  it('sends the code with its sixth digit, and leads on', async () => {
    onItsWay()
    let sent: unknown
    server.use(
      http.post('*/auth/verify-otp', async ({ request }) => {
        sent = await request.json()
        return HttpResponse.json(aSignIn())
      }),
    )
    const { control, path } = await open(VerifyView, '/verify?next=/vehicles')
    await control('Code').setValue('12345')
    expect(sent).toBeUndefined()
    await control('Code').setValue('123456')
    await settled(() => path() === '/vehicles' && !sessionStorage.getItem('vv.sign-up'))
    expect(path()).toBe('/vehicles')
    expect(sent).toEqual({ challenge_id: 'c-1', code: '123456' })
    expect(useSession().isSignedIn).toBe(true)
    expect(sessionStorage.getItem('vv.sign-up')).toBeNull()
  })

  it('keeps a wrong code, and says how many tries are left', async () => {
    onItsWay({ wrongTries: 2 })
    server.use(http.post('*/auth/verify-otp', wrong))
    const { control, errors } = await open(VerifyView, '/verify')
    await control('Code').setValue('000000')
    await settled(() => errors().length > 0)
    expect(errors()[0]).toBe('This is not the code. Check the newest mail; you have 2 more tries.')
    expect(control('Code').element.value).toBe('000000')
  })

  it('shows the way on when five codes were wrong', async () => {
    onItsWay({ wrongTries: 4 })
    server.use(http.post('*/auth/verify-otp', wrong))
    const { control, alerts, button, path, page } = await open(VerifyView, '/verify?next=/bookings')
    await control('Code').setValue('000000')
    await settled(() => alerts().length > 0)
    expect(alerts()[0]).toContain('It was wrong five times')
    expect(page.find('form').exists()).toBe(false)
    await button('Get a new code')?.trigger('click')
    await settled(() => path() === '/register?next=/bookings')
    expect(path()).toBe('/register?next=/bookings')
  })

  it('says that the code is too old, and still lets the server decide', async () => {
    onItsWay({ expires_at: inMinutes(-1) })
    const { alerts, button, page } = await open(VerifyView, '/verify')
    expect(alerts()[0]).toContain('This code is too old')
    expect(button('Get a new code')).toBeDefined()
    expect(page.find('form').exists()).toBe(true)
  })

  it('sends another code once the pause is over', async () => {
    onItsWay({ resend_after: inMinutes(-0.1), wrongTries: 1 })
    let sent: unknown
    server.use(
      http.post('*/auth/resend-otp', async ({ request }) => {
        sent = await request.json()
        return HttpResponse.json(challenge(), { status: 202 })
      }),
    )
    const { button, text } = await open(VerifyView, '/verify')
    await button('Send another code')?.trigger('click')
    await settled(() => text().includes('Another code can be sent in'))
    expect(sent).toEqual({ challenge_id: 'c-1' })
    expect(text()).toMatch(/Another code can be sent in 0:(29|30|31)/)
    expect(toast.done).toHaveBeenCalledWith(expect.stringContaining('asha@example.com'))
    expect(JSON.parse(sessionStorage.getItem('vv.sign-up') ?? '')).toMatchObject({ wrongTries: 1 })
  })

  it('waits as long as the API says when codes were asked for too often', async () => {
    onItsWay({ resend_after: inMinutes(-0.1) })
    server.use(
      http.post('*/auth/resend-otp', () =>
        HttpResponse.json(
          { type: '/problems/too-many-requests', retry_after: 720 },
          { status: 429 },
        ),
      ),
    )
    const { button, text, alerts } = await open(VerifyView, '/verify')
    await button('Send another code')?.trigger('click')
    await settled(() => alerts().length > 0)
    expect(alerts()[0]).toContain('Wait 12 minutes')
    expect(text()).toMatch(/Another code can be sent in 1[12]:/)
  })

  it('has something to say to who comes without a sign-up', async () => {
    const { text, button, path } = await open(VerifyView, '/verify')
    expect(text()).toContain('No code is on its way')
    await button('Create account')?.trigger('click')
    await settled(() => path() === '/register')
    expect(path()).toBe('/register')
  })
})
