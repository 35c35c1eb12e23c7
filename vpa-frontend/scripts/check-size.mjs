// What a browser loads before a screen works, against the budgets. Reads dist/.vite/manifest.json and ends
// with 1 above a budget. Sizes are gzip -9, kB = 1000 bytes.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { gzipSync } from 'node:zlib'

const KB = 1000
const BUDGETS = {
  css: 14,
  js: 110,
  adminJs: 135,
  mapChunk: 52,
  lazyChunk: 30,
}

const dist = new URL('../dist/', import.meta.url).pathname
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))

/** @type {Map<string, number>} */
const sizes = new Map()

/** @param {string} file */
function sizeOf(file) {
  let size = sizes.get(file)
  if (size === undefined) {
    size = gzipSync(readFileSync(join(dist, file)), { level: 9 }).length
    sizes.set(file, size)
  }
  return size
}

/** @param {Iterable<string>} files */
function sum(files) {
  let total = 0
  for (const file of files) total += sizeOf(file)
  return total / KB
}

/**
 * The files that the given chunks need before they run, each once.
 * @param {Iterable<string>} keys
 */
function firstLoad(keys) {
  const js = new Set()
  const css = new Set()
  const seen = new Set()
  const queue = [...keys]
  while (queue.length > 0) {
    const key = queue.pop()
    if (seen.has(key)) continue
    seen.add(key)
    const chunk = manifest[key]
    js.add(chunk.file)
    for (const file of chunk.css ?? []) css.add(file)
    queue.push(...(chunk.imports ?? []))
  }
  return { js, css }
}

/** The routes as the router's files tell them: the file, the view, the words beside it, the layout. */
function readRoutes() {
  const folder = new URL('../src/router/routes/', import.meta.url).pathname
  const route =
    /\bpath: '([^']+)'[^}]*?import\('@\/(views\/[^']+)'\)((?:, '\w+')*)[^}]*?layout: '(\w+)'/g
  return readdirSync(folder).flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(route)].map((found) => ({
      table: `src/router/routes/${name}`,
      path: found[1],
      view: `src/${found[2]}`,
      words: [...found[3].matchAll(/\w+/g)].map(([word]) => `src/i18n/en/${word}.ts`),
      layout: found[4],
    })),
  )
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
// The gallery is for development only.
const routes = readRoutes().filter(({ view }) => view in manifest)
const views = Object.keys(manifest).filter((key) => /^src\/views\/.*View\.vue$/.test(key))
const unknown = views.filter((key) => !routes.some(({ view }) => view === key))
if (entry === undefined || routes.length === 0 || unknown.length > 0) {
  process.stderr.write(
    `The routes and the manifest do not fit together: ${unknown.join(', ') || 'no view'}.\n`,
  )
  process.exit(1)
}

/** @type {{ what: string, size: number, budget: number }[]} */
const rows = []
/** @type {Set<string>} */
const loadedFirst = new Set()

for (const { table, path, view, words, layout } of routes) {
  const layoutKey = `src/layouts/${layout[0].toUpperCase()}${layout.slice(1)}Layout.vue`
  const { js, css } = firstLoad([
    entry,
    view,
    ...words,
    ...[table, layoutKey].filter((key) => key in manifest),
  ])
  for (const file of [...js, ...css]) loadedFirst.add(file)
  const name = path.replace(/\(.*?\)\*?/g, '')
  const budget = layout === 'admin' ? BUDGETS.adminJs : BUDGETS.js
  rows.push({ what: `${name} JS`, size: sum(js), budget })
  rows.push({ what: `${name} CSS`, size: sum(css), budget: BUDGETS.css })
}

for (const key of Object.keys(manifest)) {
  const chunk = manifest[key]
  if (!chunk.file.endsWith('.js') || loadedFirst.has(chunk.file)) continue
  const isMap = /leaflet|map/i.test(chunk.name ?? key) && (chunk.css ?? []).length > 0
  const own = [chunk.file, ...(chunk.css ?? []).filter((file) => !loadedFirst.has(file))]
  rows.push({
    what: `lazy ${chunk.name ?? basename(chunk.file)}${isMap ? ' (with its CSS)' : ''}`,
    size: sum(isMap ? own : [chunk.file]),
    budget: isMap ? BUDGETS.mapChunk : BUDGETS.lazyChunk,
  })
}

const fonts = readdirSync(join(dist, 'assets')).filter((file) => /\.(?:woff2?|ttf|otf)$/.test(file))
if (fonts.length > 0)
  rows.push({ what: 'fonts', size: sum(fonts.map((file) => `assets/${file}`)), budget: 0 })

const width = Math.max(...rows.map((row) => row.what.length))
let failed = 0
for (const { what, size, budget } of rows) {
  const isAbove = size > budget
  if (isAbove) failed += 1
  process.stdout.write(
    `${what.padEnd(width)}  ${size.toFixed(1).padStart(6)} of ${String(budget).padStart(3)} kB${isAbove ? '  above its budget' : ''}\n`,
  )
}
if (failed > 0) {
  process.stderr.write(`${failed} of ${rows.length} sizes are above their budget.\n`)
  process.exit(1)
}
