import { beforeAll, describe, expect, it } from 'vitest'
import { readTicket, type TicketKey } from './offline-ticket'

const said = {
  sub: 'VV-8F3K-29QX',
  lot: 12,
  plate: 'DDAB1234',
  nbf: 1_764_000_000,
  exp: 1_764_010_000,
}
const encode = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
const part = (value: object) => encode(new TextEncoder().encode(JSON.stringify(value)))

let pair: CryptoKeyPair
let keys: TicketKey[]
beforeAll(async () => {
  pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  keys = [{ kid: 'k1', x: encode(raw) }]
})

async function sign(header: object = { alg: 'EdDSA', kid: 'k1' }, body: object = said) {
  const text = `${part(header)}.${part(body)}`
  const bytes = await crypto.subtle.sign('Ed25519', pair.privateKey, new TextEncoder().encode(text))
  return `${text}.${encode(new Uint8Array(bytes))}`
}

describe('readTicket', () => {
  it('reads a genuine one by the public key alone', async () => {
    expect(await readTicket(await sign(), keys)).toEqual({
      code: 'VV-8F3K-29QX',
      lotId: 12,
      plate: 'DDAB1234',
      opensAt: new Date(1_764_000_000_000),
      closesAt: new Date(1_764_010_000_000),
    })
  })

  it('takes no other for one', async () => {
    const [head, , signature] = (await sign()).split('.')
    const changed = `${head ?? ''}.${part({ ...said, plate: 'BPA1' })}.${signature ?? ''}`
    expect(await readTicket(changed, keys)).toBeNull()
    expect(await readTicket(await sign({ alg: 'none', kid: 'k1' }), keys)).toBeNull()
    for (const text of ['', 'x', 'a.b', 'eyJ.!.?', 'a.b.c.d']) {
      expect(await readTicket(text, keys)).toBeNull()
    }
  })

  it('cannot tell by a key that it does not know', async () => {
    expect(await readTicket(await sign({ alg: 'EdDSA', kid: 'k2' }), keys)).toBeUndefined()
    expect(await readTicket(await sign(), [{ kid: 'k1', x: '!' }])).toBeUndefined()
  })
})
