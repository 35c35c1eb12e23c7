export interface Point {
  lat: string
  lng: string
}

/**
 * A pasted point of the earth: "51.05, 13.74", with a comma for decimals "51,05; 13,74", a geo: link, or
 * the address of a map that holds it.
 */
export function readPoint(text: string): Point | undefined {
  const pair =
    /(-?\d{1,2}\.\d+)\s*[,;/\s]\s*(-?\d{1,3}\.\d+)/.exec(text) ??
    /^\D*(-?\d{1,2},\d+)\s*[;/\s]\s*(-?\d{1,3},\d+)\D*$/.exec(text) ??
    /^\s*(-?\d{1,2})\s*[,;\s]\s*(-?\d{1,3})\s*$/.exec(text)
  if (!pair?.[1] || !pair[2]) return undefined
  const [lat, lng] = [pair[1].replace(',', '.'), pair[2].replace(',', '.')]
  return isLatitude(lat) && isLongitude(lng) ? { lat, lng } : undefined
}

const isWithin = (text: string, most: number) =>
  // eslint-disable-next-line security/detect-unsafe-regex -- what it repeats is told apart by the first sign
  /^-?\d{1,3}(?:\.\d+)?$/.test(text.trim()) && Math.abs(Number(text)) <= most

export const isLatitude = (text: string): boolean => isWithin(text, 90)
export const isLongitude = (text: string): boolean => isWithin(text, 180)
