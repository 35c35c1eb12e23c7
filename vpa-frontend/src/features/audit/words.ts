import i18next from 'i18next'

/** Every act that has words, `lot.created` and so on, in the order of the words. */
export function knownActions(): string[] {
  const words = i18next.t('audit:action', { returnObjects: true }) as unknown as Record<
    string,
    Record<string, string>
  >
  return Object.entries(words).flatMap(([subject, acts]) =>
    Object.keys(acts).map((act) => `${subject}.${act}`),
  )
}

/** An act in words; one that has none as the log writes it. */
export const sayAction = (action: string): string => say(`audit:action.${action}`, action)

/** A kind of thing in words. */
export const saySubject = (subject: string): string => say(`audit:subject.${subject}`, subject)

function say(key: string, otherwise: string): string {
  return i18next.exists(key) ? i18next.t(key as 'audit:title') : otherwise
}
