import { encode } from 'uqr'

/** Light modules around the dark ones: readers find the code by them. */
const QUIET = 4
/** The least that a camera tells apart from an arm's length. */
const LEAST_PIXELS = 3

export interface QrCode {
  /** Modules along a side, the quiet ones among them. */
  modules: number
  /** The dark modules as an SVG path, one unit each. */
  path: string
}

/**
 * A text as a QR code for a square of so many pixels. It survives 15 % of damage, or 7 % where the
 * modules would else be smaller than three pixels.
 */
export function drawQr(text: string, room: number): QrCode {
  let code = encode(text, { ecc: 'M', border: 0 })
  if ((code.size + 2 * QUIET) * LEAST_PIXELS > room) code = encode(text, { ecc: 'L', border: 0 })
  return { modules: code.size + 2 * QUIET, path: trace(code.data) }
}

/** One rectangle for each run of dark modules in a row. */
function trace(rows: readonly (readonly boolean[])[]): string {
  const runs: string[] = []
  rows.forEach((row, y) => {
    let start = -1
    for (let x = 0; x <= row.length; x++) {
      if (row[x] && start < 0) start = x
      if (!row[x] && start >= 0) {
        const length = x - start
        runs.push(`M${start + QUIET} ${y + QUIET}h${length}v1h-${length}z`)
        start = -1
      }
    }
  })
  return runs.join('')
}

/** The side of the drawn square: whole pixels for each module, so that its edges are sharp. */
export const qrSide = (code: QrCode, room: number): number =>
  code.modules * Math.max(1, Math.floor(room / code.modules))
