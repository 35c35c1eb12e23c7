import { call, type Schema } from './http'

export const changeProfile = (body: Schema<'ProfileUpdate'>) =>
  call('patch', '/api/v1/me', { body })
