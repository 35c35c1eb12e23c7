/** A plate as it is stored: upper case, without spaces, dashes and dots. */
export function normalisePlate(typed: string): string {
  return typed
    .normalize('NFKC')
    .toLocaleUpperCase('en')
    .replace(/[\s\-‐‑‒–—·.]/g, '')
}

/** Whether the API takes it: two to twelve letters and digits. */
export function isPlate(typed: string): boolean {
  return /^[\p{L}\p{Nd}]{2,12}$/u.test(normalisePlate(typed))
}

/** Whether it looks unusual enough to ask for a second look; never a reason to refuse. */
export function isUnusualPlate(typed: string): boolean {
  const plate = normalisePlate(typed)
  return (
    plate !== '' && !(/^[\p{L}\d]{4,11}$/u.test(plate) && /\p{L}/u.test(plate) && /\d/.test(plate))
  )
}
