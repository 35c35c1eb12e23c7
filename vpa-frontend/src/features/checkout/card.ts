/** What is typed of a card, tidied while it is typed and checked before it is sent. */

const digitsOf = (typed: string) => typed.replace(/\D/g, '')

/** In groups of four, as on the card. */
export function spaceNumber(typed: string): string {
  return digitsOf(typed)
    .slice(0, 19)
    .replace(/(.{4})(?=.)/g, '$1 ')
}

/** As on the card: 12/30. A first digit over 1 can only be a month of one digit. */
export function slashExpiry(typed: string): string {
  let digits = digitsOf(typed)
  if (/^[2-9]/.test(digits) || /^\d\s*\//.test(typed)) digits = `0${digits}`
  digits = digits.slice(0, 4)
  return digits.length > 2 ? `${digits.slice(0, 2)}/${digits.slice(2)}` : digits
}

export const trimCvc = (typed: string): string => digitsOf(typed).slice(0, 4)

/** Whether it has the length of a card's number, and its check digit. */
export function isCardNumber(typed: string): boolean {
  const digits = digitsOf(typed)
  if (!/^\d{12,19}$/.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const doubled = Number(digit) * (place % 2 === 1 ? 2 : 1)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return sum % 10 === 0
}

/** Whether it is a month, and how it stands to the present one. */
export function judgeExpiry(typed: string, now: Date): 'fine' | 'wrong' | 'past' {
  const match = /^(0[1-9]|1[0-2])\/(\d\d)$/.exec(typed)
  if (!match) return 'wrong'
  const [year, month] = [2000 + Number(match[2]), Number(match[1])]
  const isPast =
    year < now.getUTCFullYear() || (year === now.getUTCFullYear() && month < now.getUTCMonth() + 1)
  return isPast ? 'past' : 'fine'
}

/**
 * Tidies a field while it is typed into, and keeps the cursor behind the same digit.
 *
 * @returns the tidy text
 */
export function tidy(input: HTMLInputElement, write: (typed: string) => string): string {
  const typed = input.value
  const tidied = write(typed)
  if (tidied === typed) return typed
  const caret = input.selectionStart ?? typed.length
  const isAtEnd = caret >= typed.length
  const digitsBefore = digitsOf(typed.slice(0, caret)).length
  input.value = tidied
  let place = 0
  for (let seen = 0; place < tidied.length && seen < digitsBefore; place += 1) {
    if (/\d/.test(tidied.charAt(place))) seen += 1
  }
  const end = isAtEnd ? tidied.length : place
  input.setSelectionRange(end, end)
  return tidied
}
