import jsQR from 'jsqr'
import { describe, expect, it } from 'vitest'
import { drawQr, qrSide, type QrCode } from './qr'

const TICKET =
  'eyJhbGciOiJFZERTQSIsImtpZCI6InRwZ0xFZXVQclBzIn0.eyJzdWIiOiJWVi1aSFlFLUZDR0YiLCJsb3QiOjEyLCJwbGF0ZSI6' +
  'IkREQUs3N0UiLCJuYmYiOjE3OTU4NDg2MDAsImV4cCI6MTc5NTg4MjUwMH0.23bvzilz-9k4OoSoHdWTi1qSLF1p2afy54r1ebKY' +
  'wzfquW4V_ZJX3AnK_ooVm1AFMeX0jqGErfAxJp-c_fAkCQ'

/** Paints the path as a browser would, so many pixels a module. */
function paint({ modules, path }: QrCode, pixels: number) {
  const side = modules * pixels
  const image = new Uint8ClampedArray(side * side * 4).fill(255)
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * pixels; row < (Number(y) + 1) * pixels; row++) {
      const from = Number(x) * pixels
      for (let column = from; column < from + Number(length) * pixels; column++) {
        image.fill(0, (row * side + column) * 4, (row * side + column) * 4 + 3)
      }
    }
  }
  return { image, side }
}

function read(code: QrCode, pixels = 3): string | undefined {
  const { image, side } = paint(code, pixels)
  return jsQR(image, side, side, { inversionAttempts: 'dontInvert' })?.data
}

describe('drawQr', () => {
  it('says what the ticket says, to a reader that knows nothing of how it was drawn', () => {
    expect(read(drawQr(TICKET, 240))).toBe(TICKET)
    expect(read(drawQr(TICKET, 200))).toBe(TICKET)
  })

  it('leaves each module three pixels, for the longest ticket too', () => {
    const code = drawQr('x'.repeat(299), 240)
    expect(code.modules * 3).toBeLessThanOrEqual(240)
  })

  it('corrects more errors where there is room for it', () => {
    expect(drawQr(TICKET, 240).modules).toBeGreaterThan(drawQr(TICKET, 200).modules)
  })

  it('leaves four light modules on each side', () => {
    const { modules, path } = drawQr(TICKET, 240)
    const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)/g)]
    const left = runs.map(([, x]) => Number(x))
    const right = runs.map(([, x, , length]) => Number(x) + Number(length))
    const top = runs.map(([, , y]) => Number(y))
    expect(Math.min(...left)).toBe(4)
    expect(Math.max(...right)).toBe(modules - 4)
    expect(Math.min(...top)).toBe(4)
    expect(Math.max(...top)).toBe(modules - 5)
  })
})

describe('qrSide', () => {
  it('is a whole number of pixels for each module, within the room', () => {
    const code = drawQr(TICKET, 240)
    const side = qrSide(code, 390)
    expect(side % code.modules).toBe(0)
    expect(side).toBeLessThanOrEqual(390)
    expect(side).toBeGreaterThan(390 - code.modules)
  })
})
