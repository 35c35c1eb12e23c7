import axios, { type AxiosRequestConfig } from 'axios'
import { isApiError, toApiError, type ApiError } from '@/lib/errors'
import type { components, paths } from './schema'

export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name]

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Operation<Path extends keyof paths, Verb extends Method> = NonNullable<paths[Path][Verb]>
type PathsWith<Verb extends Method> = {
  [Path in keyof paths]: paths[Path][Verb] extends object ? Path : never
}[keyof paths]

type Json<Content> = Content extends { 'application/json': infer Body } ? Body : undefined
type Answers<Op> = Op extends { responses: infer All } ? All : never
type Content<Answer> = Answer extends { content: infer Found } ? Found : undefined
/** The body of the successful answer. */
type Answer<Op> =
  | Json<Content<Pick200<Answers<Op>, 200>>>
  | Json<Content<Pick200<Answers<Op>, 201>>>
  | Json<Content<Pick200<Answers<Op>, 202>>>
type Pick200<All, Status extends number> = Status extends keyof All ? All[Status] : never
type Path<Op> = Op extends { parameters: { path: infer Found } } ? Found : undefined
type Query<Op> = Op extends { parameters: { query?: infer Found } } ? Found : undefined
type Body<Op> = Op extends { requestBody?: { content: infer Found } }
  ? Found extends { 'application/json': infer Sent }
    ? Sent
    : Found extends { 'multipart/form-data': unknown }
      ? FormData
      : undefined
  : undefined

interface Options<Op> {
  path?: Path<Op>
  query?: Query<Op>
  body?: Body<Op>
  /** Makes the same write, sent twice, happen once. */
  idempotencyKey?: string
  /** Makes a change only while the thing is in the state of this tag. */
  ifMatch?: string
  /** Milliseconds to wait for the answer, where the usual ones would not do. */
  timeout?: number
  signal?: AbortSignal
}

export interface Tagged<Data> {
  data: Data
  tag: string | undefined
}

/** How a request comes by its token; the session store sets it, so that this module knows no store. */
interface Bearer {
  token: () => string | undefined
  /** Who is signed in. */
  owner: () => number | undefined
  /** Gets another token after a 401, or undefined when nobody is signed in any more. */
  renew: () => Promise<string | undefined>
  /** Has whoever is signed in prove it before a sensitive act; tells whether they did. */
  confirm: () => Promise<boolean>
  /** Hears that an admin's act was refused because they have no second factor yet. */
  lackFactor: () => void
}

let bearer: Bearer = {
  token: () => undefined,
  owner: () => undefined,
  renew: () => Promise.resolve(undefined),
  confirm: () => Promise.resolve(false),
  lackFactor: () => undefined,
}

export function useBearer(source: Bearer): void {
  bearer = source
}

/** Ends every sign-in and gives a new one, and so is answered like those below `/auth`. */
const PASSWORD_CHANGE = '/api/v1/me/password'

const client = axios.create({
  timeout: 15_000,
  // Signing in sets no cookie that a script could read and send back.
  xsrfCookieName: '',
  paramsSerializer: { serialize: writeQuery },
})

/** Asks the API; see `Options` for what goes along.
 *
 * @throws ApiError for every answer that is not a success, and when there is none.
 */
export async function call<Verb extends Method, P extends PathsWith<Verb>>(
  verb: Verb,
  path: P,
  options: Options<Operation<P, Verb>> = {},
): Promise<Answer<Operation<P, Verb>>> {
  const answer = await send(verb, path, options as Options<unknown>)
  return answer.data as Answer<Operation<P, Verb>>
}

/** The same, with the tag of the state that was read, for a later change's `ifMatch`. */
export async function callTagged<Verb extends Method, P extends PathsWith<Verb>>(
  verb: Verb,
  path: P,
  options: Options<Operation<P, Verb>> = {},
): Promise<Tagged<Answer<Operation<P, Verb>>>> {
  const answer = await send(verb, path, options as Options<unknown>)
  const tag: unknown = answer.headers['etag']
  return {
    data: answer.data as Answer<Operation<P, Verb>>,
    tag: typeof tag === 'string' ? tag : undefined,
  }
}

/** Fetches a file, such as a receipt. */
export async function download<P extends PathsWith<'get'>>(
  path: P,
  options: Options<Operation<P, 'get'>> = {},
): Promise<Blob> {
  const answer = await send('get', path, options as Options<unknown>, { responseType: 'blob' })
  return answer.data as Blob
}

async function send(
  verb: Method,
  path: string,
  { path: values, query, body, idempotencyKey, ifMatch, timeout, signal }: Options<unknown>,
  extra: AxiosRequestConfig = {},
) {
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((values as unknown as Record<string, unknown>)[name])),
  )
  const isAuth = url.startsWith('/api/v1/auth/')
  // Signing in and renewing need no token, and a dead one would have them refused.
  const takesToken = !isAuth || /\/(?:logout|confirm)$/.test(url)
  const request = (token: string | undefined) =>
    client.request({
      ...extra,
      method: verb,
      url,
      params: query,
      data: body,
      signal,
      ...(timeout !== undefined && { timeout }),
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
        ...(ifMatch && { 'If-Match': ifMatch }),
        // The browser keeps the refresh token in a cookie that no script can read.
        ...((isAuth || url === PASSWORD_CHANGE) && { 'X-Refresh': 'cookie' }),
      },
    })
  let token = takesToken ? bearer.token() : undefined
  const owner = bearer.owner()
  const mended = new Set<string>()
  for (;;) {
    try {
      return await request(token)
    } catch (thrown) {
      const error = toApiError(thrown)
      // Each fault is mended once: what is refused again for the same reason stays refused.
      const isNew = isApiError(error) && !mended.has(error.kind)
      const next = token && isNew ? await mend(error, token) : undefined
      // The cookie is the browser's: in another page somebody else may have signed in with it, who never
      // asked for this.
      if (!next || !isNew || bearer.owner() !== owner) throw error
      mended.add(error.kind)
      token = next
    }
  }
}

/** The token with which a refused request is worth another try, if there is one. */
async function mend(error: ApiError, sent: string): Promise<string | undefined> {
  // A wrong password beside a good token is answered so too.
  if (error.kind === 'signed-out' && error.slug !== 'invalid-credentials') {
    // Another request may have met the same 401 earlier, and be through with the renewal.
    const current = bearer.token()
    return current !== sent ? current : await bearer.renew()
  }
  if (error.kind !== 'forbidden') return undefined
  if (error.slug === 'second-factor-required') bearer.lackFactor()
  const isConfirmed = error.slug === 'fresh-sign-in-required' && (await bearer.confirm())
  return isConfirmed ? bearer.token() : undefined
}

/** Lists repeat their name, and what is not set is left out. */
function writeQuery(query: Record<string, unknown>): string {
  const written = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) written.append(name, String(each))
    }
  }
  return written.toString()
}
