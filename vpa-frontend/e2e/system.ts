import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where system.py keeps everything. */
export const folder = process.env['E2E_FOLDER'] ?? ''

export interface Credentials {
  email: string
  password: string
}

/** An account of the demo, whose passwords are made anew for each installation. */
export function demoAccount(email: string): Credentials {
  const accounts = readFileSync(join(folder, 'instance', 'demo-accounts.txt'), 'utf8')
  const line = accounts.split('\n').find((each) => each.includes(` ${email} `))
  const password = line?.trim().split(/\s+/).at(-1)
  if (!password) throw new Error(`The demo has no account ${email}.`)
  return { email, password }
}

export const admin = (): Credentials => demoAccount('admin@demo.example')
