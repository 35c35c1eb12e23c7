import { call, download, type Schema } from './http'

export type PasswordChange = Schema<'PasswordChange'>
export type EmailProof = Schema<'EmailChangeProof'>
export type SignInSession = Schema<'SignInSession'>
export type SecondFactor = Schema<'SecondFactor'>
export type SecondFactorSetup = Schema<'TotpSetup'>
export type Job = Schema<'Job'>

/** Ends every sign-in, and gives this browser a new one. */
export const changePassword = (body: PasswordChange) =>
  call('post', '/api/v1/me/password', { body })

/** Sends a code to the old address and one to the new. */
export const changeEmail = (email: string) => call('post', '/api/v1/me/email', { body: { email } })

export const confirmEmail = (body: EmailProof) => call('post', '/api/v1/me/email/confirm', { body })

export const listSessions = (signal?: AbortSignal) =>
  call('get', '/api/v1/me/sessions', { query: { limit: 100 }, signal })

export const endSession = (id: number) =>
  call('delete', '/api/v1/me/sessions/{session_id}', { path: { session_id: id } })

/** Ends all sign-ins but this one. */
export const endOtherSessions = () => call('delete', '/api/v1/me/sessions')

export const getSecondFactor = (signal?: AbortSignal) => call('get', '/api/v1/me/totp', { signal })

/** Draws a key for an authenticator app; it counts once a code of it was confirmed. */
export const beginSecondFactor = () => call('post', '/api/v1/me/totp')

export const confirmSecondFactor = (code: string) =>
  call('post', '/api/v1/me/totp/confirm', { body: { code } })

export const removeSecondFactor = () => call('delete', '/api/v1/me/totp')

/** Makes the recovery codes anew; those before no longer work. */
export const makeRecoveryCodes = () => call('post', '/api/v1/me/recovery-codes')

export const requestExport = () => call('post', '/api/v1/me/export')

/** The newest export, as far as it is. */
export const getExport = (signal?: AbortSignal) => call('get', '/api/v1/me/export', { signal })

export const getJobFile = (id: number) =>
  download('/api/v1/jobs/{job_id}/result', { path: { job_id: id } })

export const closeAccount = () => call('delete', '/api/v1/me')
