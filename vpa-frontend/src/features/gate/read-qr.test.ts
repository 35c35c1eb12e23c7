import { afterEach, describe, expect, it, vi } from 'vitest'
import { encode } from 'uqr'
import { bringReader, ownReader } from './read-qr'

afterEach(() => vi.unstubAllGlobals())

/** A canvas that shows a QR code of a text, or nothing. */
function picture(text: string): HTMLCanvasElement {
  const code = encode(text || 'x', { border: 4 })
  const scale = 4
  const side = code.size * scale
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  if (text) {
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        if (code.data[Math.floor(y / scale)]?.[Math.floor(x / scale)])
          data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
  }
  const canvas = document.createElement('canvas')
  canvas.width = side
  canvas.height = side
  vi.spyOn(canvas, 'getContext').mockReturnValue({
    getImageData: () => ({ data, width: side, height: side }),
  } as never)
  return canvas
}

describe('the reader of our own', () => {
  it('reads a QR code off a picture, and says so when there is none', async () => {
    const read = await ownReader()
    expect(await read(picture('VV-8F3K-29QX'))).toBe('VV-8F3K-29QX')
    expect(await read(picture(''))).toBeUndefined()
  })
})

describe('bringReader', () => {
  const stub = (formats: string[], detect = () => Promise.resolve([{ rawValue: 'told' }])) =>
    vi.stubGlobal(
      'BarcodeDetector',
      class {
        static readonly getSupportedFormats = () => Promise.resolve(formats)
        readonly detect = detect
      },
    )

  it('takes that of the browser where it reads QR codes', async () => {
    stub(['qr_code'])
    expect(await (await bringReader())(picture(''))).toBe('told')
  })

  it('takes our own where the browser has none, or one that reads something else', async () => {
    stub(['ean_13'])
    expect(await (await bringReader())(picture('A'))).toBe('A')
    vi.unstubAllGlobals()
    expect(await (await bringReader())(picture('B'))).toBe('B')
  })
})
