import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { Schema } from '@/api/http'

const installation: Schema<'Installation'> = {
  brand_name: 'Vehicle Vault',
  currency: 'EUR',
  currency_digits: 2,
  timezone: 'Europe/Berlin',
  locale: 'en-IE',
  payment_gateways: ['sandbox'],
  hold_minutes: 10,
  quote_minutes: 10,
  map_tile_url: null,
  map_attribution: null,
}

/** The API as a test's page meets it; a request that the test does not answer is a mistake. */
export const server = setupServer(
  http.get('*/api/v1/installation', () => HttpResponse.json(installation)),
)

export function useServer(): void {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => server.resetHandlers())
  afterAll(() => server.close())
}

/** A refusal as the API writes it. */
export const refuse = (status: number, slug: string, detail = '') =>
  HttpResponse.json({ type: `/problems/${slug}`, status, title: slug, detail }, { status })
