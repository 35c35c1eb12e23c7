import { test as base, type BrowserContext, type Page } from '@playwright/test'
import { Api } from './api.ts'
import { Mailbox } from './mailbox.ts'

export { expect } from '@playwright/test'

/** What the browser complained of; a test that provokes a complaint says so before. */
export class Complaints {
  private readonly expected: RegExp[] = []
  private readonly heard: string[] = []

  /** Complaints like this one are part of what the test does. */
  expect(pattern: RegExp): void {
    this.expected.push(pattern)
  }

  /** Listens to each page of a context, those of later too. */
  listenTo(context: BrowserContext): void {
    context.on('console', (message) => {
      // A breach of the content security policy is told here too.
      if (message.type() === 'error' || message.type() === 'warning') {
        this.heard.push(`${message.text()} (${message.location().url})`)
      }
    })
    context.on('weberror', (error) => this.heard.push(String(error.error())))
  }

  unexpected(): string[] {
    return this.heard.filter((text) => !this.expected.some((pattern) => pattern.test(text)))
  }
}

interface Fixtures {
  mailbox: Mailbox
  api: Api
  complaints: Complaints
  /** A second person at a browser of their own. */
  secondPage: Page
}

export const test = base.extend<Fixtures>({
  mailbox: async ({}, use) => {
    await use(new Mailbox())
  },
  api: async ({ playwright, baseURL, mailbox }, use) => {
    const request = await playwright.request.newContext({ baseURL: baseURL ?? '' })
    await use(new Api(request, mailbox))
    await request.dispose()
  },
  complaints: [
    async ({ context }, use) => {
      const complaints = new Complaints()
      complaints.listenTo(context)
      await use(complaints)
      const unexpected = complaints.unexpected()
      if (unexpected.length > 0) {
        throw new Error(`The browser complained:\n${unexpected.join('\n')}`)
      }
    },
    { auto: true },
  ],
  secondPage: async ({ browser, contextOptions, complaints }, use) => {
    const context = await browser.newContext(contextOptions)
    complaints.listenTo(context)
    await use(await context.newPage())
    await context.close()
  },
})
