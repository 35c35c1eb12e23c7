import { call, type Schema } from './http'

export type User = Schema<'User'>
export type SignIn = Schema<'SignIn'>
export type Challenge = Schema<'Challenge'>
export type Credentials = Schema<'Credentials'>
export type CodeProof = Schema<'CodeProof'>
export type Registration = Schema<'Registration'>

export const signIn = (body: Credentials) => call('post', '/api/v1/auth/login', { body })

export const register = (body: Registration) => call('post', '/api/v1/auth/register', { body })

export const verifyCode = (body: CodeProof) => call('post', '/api/v1/auth/verify-otp', { body })

export const resendCode = (challengeId: string) =>
  call('post', '/api/v1/auth/resend-otp', { body: { challenge_id: challengeId } })

export const refresh = () => call('post', '/api/v1/auth/refresh', { body: {} })

export const signOut = (everywhere = false) =>
  call('post', '/api/v1/auth/logout', { body: { everywhere } })
