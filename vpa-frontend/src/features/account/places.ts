/** Locales that are offered by name; anybody's own is offered too. */
const LOCALES = [
  'en-GB',
  'en-IE',
  'en-IN',
  'en-US',
  'de-DE',
  'de-AT',
  'de-CH',
  'fr-FR',
  'es-ES',
  'it-IT',
  'nl-NL',
  'pl-PL',
  'hi-IN',
  'ja-JP',
]

interface Option {
  value: string
  label: string
}

/** Zones by name; the given ones are among them, also under an old name. */
export function zoneOptions(...own: string[]): Option[] {
  const names = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', ...own])
  return [...names].sort().map((name) => ({ value: name, label: name.replaceAll('_', ' ') }))
}

/** Locales by what each calls itself: "Deutsch (Deutschland)". */
export function localeOptions(...own: string[]): Option[] {
  return [...new Set([...LOCALES, ...own])]
    .map((tag) => ({ value: tag, label: nameOf(tag) }))
    .sort((one, other) => one.label.localeCompare(other.label))
}

function nameOf(tag: string): string {
  try {
    return new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag
  } catch {
    // A tag that was kept long ago need not be one that this browser can read.
    return tag
  }
}
