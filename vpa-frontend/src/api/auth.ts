import { call, type Schema } from './http'

export type User = Schema<'User'>
export type SignIn = Schema<'SignIn'>
/** A sign-in whose password was right, and that waits for a code. */
export type SecondFactorDue = Required<Pick<Schema<'Login'>, 'challenge_id' | 'expires_at'>>
export type SecondFactorProof = Schema<'SecondFactorProof'>
export type PasswordReset = Schema<'PasswordResetSubmit'>
export type IdentityProof = Schema<'IdentityProof'>
export type Challenge = Schema<'Challenge'>
export type Credentials = Schema<'Credentials'>
export type CodeProof = Schema<'CodeProof'>
export type Registration = Schema<'Registration'>

/** Signs in, or tells that a second factor is due. */
export async function signIn(body: Credentials): Promise<SignIn | SecondFactorDue> {
  // The document names all that may be there; it is all of the one or all of the other.
  return (await call('post', '/api/v1/auth/login', { body })) as SignIn | SecondFactorDue
}

/** Ends a sign-in that waits for the second factor. */
export const proveSecondFactor = (body: SecondFactorProof) =>
  call('post', '/api/v1/auth/second-factor', { body })

/** Has a link sent with which another password can be set. */
export const forgetPassword = (email: string) =>
  call('post', '/api/v1/auth/forgot-password', { body: { email } })

export const resetPassword = (body: PasswordReset) =>
  call('post', '/api/v1/auth/reset-password', { body })

/** Proves who is signed in, for the sensitive acts of the next minutes. */
export const confirmIdentity = (body: IdentityProof) =>
  call('post', '/api/v1/auth/confirm', { body })

export const register = (body: Registration) => call('post', '/api/v1/auth/register', { body })

export const verifyCode = (body: CodeProof) => call('post', '/api/v1/auth/verify-otp', { body })

export const resendCode = (challengeId: string) =>
  call('post', '/api/v1/auth/resend-otp', { body: { challenge_id: challengeId } })

export const refresh = () => call('post', '/api/v1/auth/refresh', { body: {} })

export const signOut = (everywhere = false) =>
  call('post', '/api/v1/auth/logout', { body: { everywhere } })
