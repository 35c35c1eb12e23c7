/** Enough of an address to send a mail to; whether it is one, the mail tells. */
export function isEmail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim())
}

/** A telephone number as people write it, as the API reads one. */
export function isPhone(text: string): boolean {
  return /^\+?\d[\d ()/.-]{2,31}$/.test(text.trim())
}

const PASSWORD = { min: 8, max: 128 }

export function hasPasswordLength(password: string): boolean {
  // As the API counts: characters, not the two halves of an emoji.
  const length = [...password].length
  return length >= PASSWORD.min && length <= PASSWORD.max
}

/** Whether it is none of what others know of the person. */
export function isOwnSecret(password: string, { name, email }: { name: string; email: string }) {
  const fold = (text: string) => text.normalize('NFKC').trim().toLocaleLowerCase('en')
  const known = [name, email, email.split('@')[0] ?? ''].map(fold)
  return !known.filter(Boolean).includes(fold(password))
}
