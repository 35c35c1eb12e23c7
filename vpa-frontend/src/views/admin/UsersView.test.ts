import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openPage, settled } from '@/test/page'
import { anAccount } from '@/test/people'
import { server, useServer } from '@/test/server'
import UsersView from './UsersView.vue'

useServer()
enableAutoUnmount(afterEach)

const asked: string[] = []
beforeEach(() => {
  asked.length = 0
  vi.spyOn(window, 'scrollTo').mockImplementation(() => undefined)
  server.use(
    http.get('*/api/v1/users', ({ request }) => {
      const { search, searchParams } = new URL(request.url)
      asked.push(search)
      const page = Number(searchParams.get('cursor')?.slice(1) ?? 1)
      return HttpResponse.json({
        items:
          searchParams.get('q') === 'nobody'
            ? []
            : [anAccount({ id: page, name: `Person ${String(page)}`, roles: ['driver', 'admin'] })],
        next_cursor: page < 3 ? `c${String(page + 1)}` : null,
        total: 103,
      })
    }),
  )
})

async function open(path: string) {
  const { page, router } = await openPage(UsersView, path)
  await settled(() => page.find('table').exists() || page.text().includes('Nobody matches'))
  const press = (name: string) =>
    page
      .findAll('button')
      .find((each) => each.text() === name)
      ?.trigger('click')
  return { page, press, path: () => router.currentRoute.value.fullPath }
}

describe('UsersView', () => {
  it('asks for what the address says', async () => {
    const { page } = await open('/admin/users?q=asha&role=admin&active=no')
    expect(asked).toEqual(['?limit=50&q=asha&role=admin&active=false'])
    expect(page.text()).toContain('103 users')
    expect(page.find('tbody a').attributes('href')).toBe('/admin/users/1')
  })

  it('keeps a filter in the address, and begins the list anew', async () => {
    const { page, path } = await open('/admin/users?after=c2&page=2')
    await page.find('input[value=attendant]').setValue()
    await settled(() => path() === '/admin/users?role=attendant')
    expect(path()).toBe('/admin/users?role=attendant')
  })

  it('leads from page to page and back', async () => {
    const { page, press, path } = await open('/admin/users')
    expect(page.text()).toContain('1 – 1 of 103')
    await press('Next')
    await settled(() => page.text().includes('Person 2'))
    await press('Next')
    await settled(() => page.text().includes('Person 3'))
    expect(path()).toBe('/admin/users?after=c3&page=3')
    await press('Previous')
    await settled(() => page.text().includes('Person 2'))
    expect(path()).toBe('/admin/users?after=c2&page=2')
  })

  it('says that nobody matches, and clears the filters', async () => {
    const { press, path } = await open('/admin/users?q=nobody')
    await press('Clear the filters')
    await settled(() => path() === '/admin/users')
    expect(path()).toBe('/admin/users')
  })
})
