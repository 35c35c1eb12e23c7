/** What reads a QR code off a picture; undefined where there is none. */
export type ReadQr = (picture: HTMLCanvasElement) => Promise<string | undefined>

interface Detector {
  detect: (picture: CanvasImageSource) => Promise<{ rawValue: string }[]>
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector
  getSupportedFormats: () => Promise<string[]>
}

/** The reader of the browser where it has one, else our own, which comes when it is needed. */
export async function bringReader(): Promise<ReadQr> {
  return (await readerOfBrowser()) ?? (await ownReader())
}

async function readerOfBrowser(): Promise<ReadQr | undefined> {
  const { BarcodeDetector: Found } = globalThis as { BarcodeDetector?: DetectorClass }
  try {
    // Some browsers have the class and nothing behind it.
    if (!Found || !(await Found.getSupportedFormats()).includes('qr_code')) return undefined
    const detector = new Found({ formats: ['qr_code'] })
    return async (picture) => (await detector.detect(picture))[0]?.rawValue
  } catch {
    return undefined
  }
}

export async function ownReader(): Promise<ReadQr> {
  const { decodeQR } = await import('qr/decode.js')
  return (picture) => {
    const context = picture.getContext('2d', { willReadFrequently: true })
    const { width, height } = picture
    if (!context || !width || !height) return Promise.resolve(undefined)
    const { data } = context.getImageData(0, 0, width, height)
    try {
      return Promise.resolve(decodeQR({ width, height, data }))
    } catch {
      // It has no other way to say that there is none.
      return Promise.resolve(undefined)
    }
  }
}
