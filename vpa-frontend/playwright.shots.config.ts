import { defineConfig } from '@playwright/test'
import { freePort, shared } from './playwright.config.ts'

// The gallery of the design system is there in development only, so Vite serves it.
process.env['E2E_VITE_PORT'] ??= String(await freePort())
const url = `http://127.0.0.1:${process.env['E2E_VITE_PORT']}`
process.env['E2E_VITE_URL'] = url

/** The pictures of every screen, taken by `make shots`; they test nothing. */
export default defineConfig({
  ...shared,
  testMatch: 'shots.spec.ts',
  webServer: [
    shared.webServer,
    {
      command: `exec node_modules/.bin/vite --port ${process.env['E2E_VITE_PORT']} --logLevel error`,
      env: { API_URL: shared.use.baseURL },
      url,
      timeout: 60_000,
      gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 },
    },
  ],
})
