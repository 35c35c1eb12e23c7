import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModeratedReview } from '@/api/admin-reviews'
import { anEditedLot } from '@/test/admin-lots'
import { dialog } from '@/test/dialog'
import { aModeratedReview } from '@/test/money'
import { given, openPage, settled } from '@/test/page'
import { server, useServer } from '@/test/server'
import ReviewsView from './ReviewsView.vue'

useServer()
enableAutoUnmount(afterEach)

const asked: string[] = []
const sent: unknown[] = []
let review: ModeratedReview
beforeEach(() => {
  asked.length = 0
  sent.length = 0
  review = aModeratedReview()
  server.use(
    http.get('*/api/v1/reviews', ({ request }) => {
      asked.push(new URL(request.url).search)
      return HttpResponse.json({ items: [review], next_cursor: null, total: 1 })
    }),
    http.get('*/api/v1/lots/12', () => HttpResponse.json(anEditedLot())),
    http.post('*/api/v1/reviews/31/moderate', async ({ request }) => {
      const body = (await request.json()) as { hidden: boolean; reason?: string }
      sent.push(body)
      review = aModeratedReview({
        status: body.hidden ? 'hidden' : 'published',
        hidden_reason: body.reason ?? null,
      })
      return HttpResponse.json(review)
    }),
    http.post('*/api/v1/reviews/31/reply', async ({ request }) => {
      const body = (await request.json()) as { text: string | null }
      sent.push(body)
      review = aModeratedReview({ reply: body.text })
      return HttpResponse.json(review)
    }),
  )
})

async function open(path = '/admin/reviews') {
  const { page } = await openPage(ReviewsView, path)
  await settled(() => page.text().includes('Dark and narrow.'))
  const press = (name: string) =>
    given(page.findAll('button').find((each) => each.text() === name)).trigger('click')
  const say = async (words: string, name: string) => {
    await settled(() => Boolean(dialog()?.querySelector('textarea')))
    const area = given(dialog()?.querySelector('textarea'))
    area.value = words
    area.dispatchEvent(new Event('input'))
    given(
      [...given(dialog()).querySelectorAll('button')].find(
        (each) => each.textContent?.trim() === name,
      ),
    ).click()
  }
  return { page, press, say }
}

describe('ReviewsView', () => {
  it('asks for what the address says', async () => {
    await open('/admin/reviews?status=published&answered=no&stars=2&lot=12')
    expect(asked).toEqual(['?limit=20&status=published&answered=false&stars=2&lot_id=12'])
  })

  it('hides a review for a reason, and shows it again', async () => {
    const { page, press, say } = await open()
    await press('Hide')
    await say(' ', 'Hide')
    await settled(() => dialog()?.textContent?.includes('Enter the reason') ?? false)
    expect(sent).toEqual([])
    await say('It names somebody', 'Hide')
    await settled(() => page.text().includes('Hidden: It names somebody'))
    await press('Show again')
    await settled(() => sent.length === 2)
    expect(sent).toEqual([{ hidden: true, reason: 'It names somebody' }, { hidden: false }])
  })

  it('answers, and takes the answer back', async () => {
    const { page, press, say } = await open()
    await press('Answer')
    await say('There are new lamps.', 'Publish the answer')
    await settled(() => page.text().includes('There are new lamps.'))
    await press('Take it back')
    await settled(() => !page.text().includes('There are new lamps.'))
    expect(sent).toEqual([{ text: 'There are new lamps.' }, { text: null }])
  })
})
