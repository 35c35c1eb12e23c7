import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type PlaywrightTestConfig } from '@playwright/test'

const root = fileURLToPath(new URL('..', import.meta.url))

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

// Chosen once, by the process that starts the system; those of the tests inherit the environment.
for (const name of ['E2E_PORT', 'E2E_EVENTS_PORT', 'E2E_MAIL_PORT']) {
  process.env[name] ??= String(await freePort())
}
process.env['E2E_FOLDER'] ??= join(tmpdir(), `vehicle-vault-e2e-${String(process.pid)}`)
const url = `http://127.0.0.1:${String(process.env['E2E_PORT'])}`

const desk = { viewport: { width: 1440, height: 900 } }
const mobile = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
}

/** Tests that one more size or theme would tell nothing new. */
const ELSEWHERE: Record<string, string[]> = {
  'desk-dark': [
    'account.spec.ts',
    'admin.spec.ts',
    'admin-money.spec.ts',
    'exports.spec.ts',
    'keyboard.spec.ts',
    'lost-bay.spec.ts',
    'accessibility.spec.ts',
    'hostile.spec.ts',
    'stay.spec.ts',
    'notifications.spec.ts',
    'reports.spec.ts',
  ],
  'mob-light': [
    'account.spec.ts',
    'admin.spec.ts',
    'admin-money.spec.ts',
    'exports.spec.ts',
    'keyboard.spec.ts',
    'accessibility.spec.ts',
    'hostile.spec.ts',
    'stay.spec.ts',
    'notifications.spec.ts',
    'reports.spec.ts',
  ],
  'mob-dark': ['keyboard.spec.ts', 'lost-bay.spec.ts', 'hostile.spec.ts', 'exports.spec.ts'],
}

/** What the tests and the pictures share: the real system, the machine's browser, two sizes and two themes. */
export const shared = {
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: 2,
  fullyParallel: true,
  forbidOnly: Boolean(process.env['CI']),
  // What passes only then is told as flaky, with its trace, and is to be looked at.
  retries: process.env['CI'] ? 1 : 0,
  reporter: [['list']],
  // Enough for a machine that does other things too: a test that waits is no test that fails.
  timeout: 240_000,
  expect: { timeout: 20_000 },
  use: {
    baseURL: url,
    // Not the zone of the demo's car parks: the times that are shown must be theirs.
    timezoneId: 'Asia/Kolkata',
    locale: 'en-IE',
    actionTimeout: 20_000,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(process.env['CHROMIUM'] ? { executablePath: process.env['CHROMIUM'] } : {}),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
      ],
    },
  },
  projects: [
    { name: 'desk-light', use: { ...desk, colorScheme: 'light' } },
    { name: 'desk-dark', use: { ...desk, colorScheme: 'dark' } },
    { name: 'mob-light', use: { ...mobile, colorScheme: 'light' } },
    { name: 'mob-dark', use: { ...mobile, colorScheme: 'dark' } },
  ],
  webServer: {
    command: 'exec .venv/bin/python vpa-frontend/e2e/system.py',
    cwd: root,
    env: { PYTHONPATH: root },
    url: `${url}/readyz`,
    timeout: 120_000,
    stderr: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 30_000 },
  },
} satisfies PlaywrightTestConfig

export default defineConfig({
  ...shared,
  projects: shared.projects.map((project) => ({
    ...project,
    testIgnore: ['shots.spec.ts', ...(ELSEWHERE[project.name] ?? [])],
  })),
})
