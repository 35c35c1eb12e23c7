import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { folder } from './system.ts'

export interface Mail {
  to: string[]
  subject: string
  text: string
  attachments: string[]
}

/** What the mail server of the tests got. */
export class Mailbox {
  private readonly folder = join(folder, 'mail')

  /** Waits for a mail to the address with this in its subject or text, and gives the newest. */
  async newest(address: string, words: string | RegExp): Promise<Mail> {
    const pattern = typeof words === 'string' ? new RegExp(escape(words)) : words
    const find = async (): Promise<Mail | undefined> =>
      (await this.to(address)).findLast((mail) => pattern.test(`${mail.subject}\n${mail.text}`))
    await expect
      .poll(async () => (await find()) !== undefined, {
        message: `a mail to ${address} with ${String(words)}`,
        timeout: 30_000,
      })
      .toBe(true)
    return (await find()) as Mail
  }

  /** The six digits of the newest code. */
  async code(address: string): Promise<string> {
    const mail = await this.newest(address, /^ +\d{6}$/m)
    return /^ +(\d{6})$/m.exec(mail.text)?.[1] ?? ''
  }

  private async to(address: string): Promise<Mail[]> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith('.json')).sort()
    const mails = await Promise.all(
      names.map(
        async (name) => JSON.parse(await readFile(join(this.folder, name), 'utf8')) as Mail,
      ),
    )
    return mails.filter((mail) => mail.to.includes(address))
  }
}

function escape(words: string): string {
  return words.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
}
