import { call } from './http'

export const ask = <Answer>(verb: string, path: string, options: object = {}): Promise<Answer> =>
  call(verb as never, path as never, options as never) as Promise<Answer>
