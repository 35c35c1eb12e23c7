/** Six digits of an app, or a recovery code as somebody may have noted it. */
export function isFactorCode(code: string, isRecovery: boolean): boolean {
  return isRecovery ? recoveryCodeOf(code).length === 11 : /^\d{6}$/.test(code)
}

/** As the API writes it: `ab2cd-ef3gh`, from however it was typed. */
export function recoveryCodeOf(typed: string): string {
  const plain = typed.toLowerCase().replace(/[^a-z\d]/g, '')
  return `${plain.slice(0, 5)}-${plain.slice(5)}`
}
