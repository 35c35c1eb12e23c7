/** A public key as the API gives it. */
export interface TicketKey {
  x: string
  kid: string
}

/** What a genuine ticket says. */
export interface ReadTicket {
  code: string
  lotId: number
  plate: string
  opensAt: Date
  closesAt: Date
}

/** Reads a ticket by the public keys alone; null when it is none of ours, undefined when it cannot be told here. */
export async function readTicket(
  payload: string,
  keys: readonly TicketKey[],
): Promise<ReadTicket | null | undefined> {
  const [head, body, signature, more] = payload.split('.')
  if (!head || !body || !signature || more !== undefined) return null
  const { alg, kid } = parse(head)
  const key = keys.find((each) => each.kid === kid)
  if (alg !== 'EdDSA') return null
  // Keys are changed now and then: one that is not known here may be newer than the page.
  if (!key) return undefined
  let isOurs: boolean
  try {
    const bytes = bytesOf(key.x)
    const imported = await crypto.subtle.importKey('raw', bytes, 'Ed25519', false, ['verify'])
    const signed = new TextEncoder().encode(`${head}.${body}`)
    isOurs = await crypto.subtle.verify('Ed25519', imported, bytesOf(signature), signed)
  } catch {
    // A browser that does not know this kind of key.
    return undefined
  }
  const { sub, lot, plate, nbf, exp } = parse(body)
  if (!isOurs || typeof sub !== 'string') return null
  return {
    code: sub,
    lotId: Number(lot),
    plate: String(plate),
    opensAt: new Date(Number(nbf) * 1000),
    closesAt: new Date(Number(exp) * 1000),
  }
}

function parse(part: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(bytesOf(part)))
    return typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
