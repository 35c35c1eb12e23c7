import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { createRequire } from 'node:module'
import type { APIRequestContext, Locator, Page } from '@playwright/test'

declare global {
  var jsQR: (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null
}

const decoder = createRequire(import.meta.url).resolve('jsqr')

/** Reads a QR code off the screen as a phone at the gate does: from its picture. */
export async function readQr(page: Page, code: Locator): Promise<string> {
  const picture = (await code.screenshot()).toString('base64')
  // On a page of its own: that of the application runs no foreign script.
  const reader = await page.context().newPage()
  try {
    await reader.addScriptTag({ path: decoder })
    return await reader.evaluate(async (png) => {
      const bitmap = await createImageBitmap(
        await (await fetch(`data:image/png;base64,${png}`)).blob(),
      )
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
      const drawing = canvas.getContext('2d')
      if (!drawing) throw new Error('This browser cannot draw.')
      drawing.drawImage(bitmap, 0, 0)
      const { data, width, height } = drawing.getImageData(0, 0, bitmap.width, bitmap.height)
      const found = jsQR(data, width, height)
      if (!found) throw new Error('There is no QR code in the picture.')
      return found.data
    }, picture)
  } finally {
    await reader.close()
  }
}

/** What a ticket says, if its signature is by one of the keys that the API tells gates. */
export async function verifyTicket(
  request: APIRequestContext,
  ticket: string,
): Promise<Record<string, unknown>> {
  const answer = await request.get('/api/v1/tickets/keys')
  const { keys } = (await answer.json()) as { keys: (JsonWebKey & { kid: string })[] }
  const [header, payload, signature] = ticket.split('.')
  if (!header || !payload || !signature) throw new Error(`This is no JWS: ${ticket}`)
  const { alg, kid } = parse(header)
  const key = keys.find((each) => each.kid === kid)
  if (alg !== 'EdDSA' || !key) throw new Error(`No key for ${JSON.stringify({ alg, kid })}.`)
  const isGenuine = verify(
    null,
    Buffer.from(`${header}.${payload}`),
    createPublicKey({ key, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  )
  if (!isGenuine) throw new Error('The signature of the ticket is not genuine.')
  return parse(payload)
}

function parse(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
}
