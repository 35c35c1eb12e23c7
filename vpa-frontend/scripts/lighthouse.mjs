// Lighthouse as a phone sees the first pages, on the demo: medians of five runs each. Ends with 1 when a
// category is below its goal. CHROMIUM names the browser.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const LIGHTHOUSE = 'lighthouse@12.8.2'
const RUNS = 5
const GOAL = 95
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo']
// Told beside the scores, since they say why a score is what it is.
const METRICS = {
  'largest-contentful-paint': 'LCP ms',
  'total-blocking-time': 'TBT ms',
  'cumulative-layout-shift': 'CLS',
}
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
]

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vehicle-vault-lighthouse-'))
const run = promisify(execFile)

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function startDemo() {
  const port = await freePort()
  const child = spawn('.venv/bin/python', ['vpa-frontend/e2e/system.py'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PYTHONPATH: root,
      E2E_FOLDER: join(folder, 'demo'),
      E2E_PORT: String(port),
      E2E_EVENTS_PORT: String(await freePort()),
      E2E_MAIL_PORT: String(await freePort()),
    },
  })
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    if (child.exitCode !== null) throw new Error('The demo did not start; the lines above say why.')
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok) return { url, child }
    await pause(200)
  }
}

/** Runs it until it says something: now and then it loses the browser's trace. */
async function measure(url, tries = 3) {
  try {
    return await measureOnce(url)
  } catch (error) {
    if (tries === 1 || !/NO_NAVSTART/.test(error.stderr)) throw error
    return measure(url, tries - 1)
  }
}

async function measureOnce(url) {
  const report = join(folder, 'report.json')
  await run(
    'npx',
    [
      '--yes',
      LIGHTHOUSE,
      url,
      '--quiet',
      '--output=json',
      `--output-path=${report}`,
      `--only-categories=${CATEGORIES.join(',')}`,
      `--chrome-flags=${FLAGS.join(' ')}`,
    ],
    { env: { ...process.env, CHROME_PATH: process.env.CHROMIUM } },
  )
  const { categories, audits } = JSON.parse(readFileSync(report, 'utf8'))
  return {
    scores: CATEGORIES.map((name) => Math.round(categories[name].score * 100)),
    metrics: Object.keys(METRICS).map((name) => audits[name].numericValue),
    failed: CATEGORIES.slice(1).flatMap((name) =>
      categories[name].auditRefs
        .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1)
        .map(({ id }) => id),
    ),
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

/** The median of each column. */
function medians(rows) {
  return rows[0].map((_, index) => median(rows.map((row) => row[index])))
}

async function measureAll(url) {
  const lots = await (await fetch(`${url}/api/v1/lots?q=Altmarkt`)).json()
  const lot = lots.items.find(({ name }) => name === 'Altmarkt')
  const pages = []
  for (const path of ['/', `/lots/${lot.id}`, '/sign-in']) {
    const runs = []
    for (let count = 0; count < RUNS; count += 1) runs.push(await measure(url + path))
    const page = {
      path,
      scores: medians(runs.map(({ scores }) => scores)),
      metrics: medians(runs.map(({ metrics }) => metrics)),
      failed: [...new Set(runs.flatMap(({ failed }) => failed))],
      runs: runs.map(({ scores }) => scores),
    }
    const scores = CATEGORIES.map((name, index) => `${name} ${page.scores[index]}`)
    const metrics = Object.values(METRICS).map(
      (name, index) => `${name} ${Number(page.metrics[index].toFixed(3))}`,
    )
    process.stdout.write(`${path.padEnd(10)} ${[...scores, ...metrics].join('  ')}\n`)
    if (page.failed.length > 0)
      process.stdout.write(`           not met: ${page.failed.join(', ')}\n`)
    pages.push(page)
  }
  return pages
}

let demo
try {
  demo = await startDemo()
  const pages = await measureAll(demo.url)
  const results = join(root, 'bench', 'results')
  mkdirSync(results, { recursive: true })
  writeFileSync(
    join(results, 'lighthouse.json'),
    `${JSON.stringify({ at: new Date().toISOString(), lighthouse: LIGHTHOUSE, categories: CATEGORIES, metrics: Object.keys(METRICS), pages }, null, 2)}\n`,
  )
  if (pages.some(({ scores }) => scores.some((score) => score < GOAL))) {
    process.stderr.write(`A median is below ${GOAL}.\n`)
    process.exitCode = 1
  }
} finally {
  if (demo && demo.child.exitCode === null) {
    demo.child.kill('SIGTERM')
    await once(demo.child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}
