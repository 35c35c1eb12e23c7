import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it } from 'vitest'
import type { Schema } from '@/api/http'
import { openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import ReceiptView from './ReceiptView.vue'

useServer()
enableAutoUnmount(afterEach)

const GENUINE: Schema<'DocumentCheck'> = {
  genuine: true,
  number: 'R-2026-000021',
  kind: 'receipt',
  issued_at: '2026-11-26T16:14:05Z',
  operator: 'Vehicle Vault',
  lot: 'Altmarkt',
  total_minor: 400,
  tax_minor: 64,
  currency: 'EUR',
}

/** What was asked, in order. */
const asked: string[] = []
afterEach(() => {
  asked.length = 0
})

function answer(): void {
  server.use(
    http.get('*/api/v1/receipts/verify', ({ request }) => {
      const { searchParams } = new URL(request.url)
      asked.push(searchParams.toString())
      const isRight = searchParams.get('word') === 'kIte7'
      return HttpResponse.json(
        isRight
          ? GENUINE
          : {
              genuine: false,
              number: searchParams.get('number'),
              kind: null,
              issued_at: null,
              operator: null,
              lot: null,
              total_minor: null,
              tax_minor: null,
              currency: null,
            },
      )
    }),
  )
}

describe('ReceiptView', () => {
  it('says at once what a genuine receipt says, when its code was scanned', async () => {
    answer()
    const { page } = await openPage(ReceiptView, '/receipts/verify?number=R-2026-000021&word=kIte7')
    await settled(() => page.text().includes('is genuine'))
    expect(page.text()).toMatch(
      /R-2026-000021 is genuine.*Issued26 November 2026.*Altmarkt.*Total€4\.00.*Taxes in it€0\.64/s,
    )
    expect(document.activeElement?.textContent).toContain('is genuine')
  })

  it('takes what is typed off a paper, and says when it is none of ours', async () => {
    answer()
    const { page, router } = await openPage(ReceiptView, '/receipts/verify')
    await settled(() => page.find('form').exists())
    expect(asked).toEqual([])
    await page.find('form').trigger('submit')
    await settled(() => page.text().includes('Enter the number'))
    await page.find('input[name=number]').setValue(' r-2026-000021 ')
    await page.find('input[name=word]').setValue('wrong')
    await page.find('form').trigger('submit')
    await settled(() => page.text().includes('This is no receipt of ours'))
    expect(asked).toEqual(['number=R-2026-000021&word=wrong'])
    expect(router.currentRoute.value.query).toEqual({ number: 'R-2026-000021', word: 'wrong' })
    await page.find('input[name=word]').setValue('kIte7')
    await page.find('form').trigger('submit')
    await settled(() => page.text().includes('is genuine'))
    expect(page.text()).not.toContain('no receipt of ours')
  })

  it('says when it could not be checked, and tries again', async () => {
    server.use(http.get('*/api/v1/receipts/verify', () => refuse(503, 'service-unavailable')))
    const { page } = await openPage(ReceiptView, '/receipts/verify?number=R-2026-000021&word=kIte7')
    await settled(() => page.find('[role=alert]').exists())
    expect(page.text()).toContain('The server does not answer.')
    answer()
    await page.find('[role=alert] button').trigger('click')
    await settled(() => page.text().includes('is genuine'))
    expect(page.text()).toContain('is genuine')
  })
})
