import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { useSession } from '@/stores/session'
import { aUser } from '@/test/people'
import { useServer } from '@/test/server'
import { createAppRouter } from '.'

useServer()
beforeEach(() => {
  localStorage.clear()
  setActivePinia(createPinia())
})

describe('the pages of admins', () => {
  it('come when the first of them is opened, and keep its query', async () => {
    const session = useSession()
    session.update(aUser({ roles: ['admin'] }))
    const router = createAppRouter(session)
    expect(router.hasRoute('admin-lots')).toBe(false)
    await router.push('/admin/lots?q=altmarkt')
    expect(router.currentRoute.value).toMatchObject({
      name: 'admin-lots',
      fullPath: '/admin/lots?q=altmarkt',
    })
    await router.push('/admin/nothing')
    expect(router.currentRoute.value.name).toBe('not-found')
  })

  it('stay closed to others', async () => {
    const router = createAppRouter(useSession())
    await router.push('/admin/users')
    expect(router.currentRoute.value.fullPath).toBe('/sign-in?next=/admin/users')
  })

  it('do not come for a path that only begins alike', async () => {
    const router = createAppRouter(useSession())
    await router.push('/administration')
    expect(router.currentRoute.value.name).toBe('not-found')
    expect(router.hasRoute('admin-lots')).toBe(false)
  })
})

describe('the pages of the gate', () => {
  it('come when the first of them is opened', async () => {
    const session = useSession()
    session.update(aUser({ roles: ['attendant'] }))
    const router = createAppRouter(session)
    expect(router.hasRoute('gate')).toBe(false)
    await router.push('/gate/12?tab=inside')
    expect(router.currentRoute.value).toMatchObject({
      name: 'gate',
      fullPath: '/gate/12?tab=inside',
    })
  })
})

describe('the pages of links in mails', () => {
  it('come with what their address says, for guests too', async () => {
    const router = createAppRouter(useSession())
    expect(router.hasRoute('act')).toBe(false)
    await router.push('/act#token=abc')
    expect(router.currentRoute.value).toMatchObject({ name: 'act', fullPath: '/act#token=abc' })
    await router.push('/receipts/verify?number=R-1')
    expect(router.currentRoute.value).toMatchObject({
      name: 'receipt',
      fullPath: '/receipts/verify?number=R-1',
    })
  })
})
