import { fileURLToPath, URL } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const api = process.env['API_URL'] ?? 'http://127.0.0.1:8000'
const compressible = /\.(?:css|html|js|json|svg|txt)$/

/**
 * Has what index.html shows by itself drawn before anything of the app is there: its styles stand behind it,
 * and its code, which is fetched at once, starts after the first frame.
 */
function paintFirst(): Plugin {
  const entry = / *<script type="module"[^>]* src="([^"]+)"><\/script>\n/
  return {
    name: 'paint-first',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const [, app] = entry.exec(html) ?? this.error('The page has no entry.')
        const styles = html.match(/ *<link rel="stylesheet"[^>]*>\n/g) ?? []
        const page = styles.reduce((rest, link) => rest.replace(link, ''), html)
        const start = `
    <script type="module">
      // The first clock that a page reads takes a while, in which the code comes.
      const warmUp = () => new Intl.DateTimeFormat('en', { timeStyle: 'short' }).format()
      const start = () => import('${app}')
      // A page that nobody looks at paints nothing, and not every browser tells.
      if (document.hidden) start()
      else new PerformanceObserver((list) => {
        if (list.getEntriesByName('first-contentful-paint').length > 0) start()
      }).observe({ type: 'paint', buffered: true })
      setTimeout(warmUp)
      setTimeout(start, 500)
    </script>
`
        return page
          .replace(entry, `    <link rel="modulepreload" crossorigin href="${app}">\n`)
          .replaceAll('rel="modulepreload"', 'rel="modulepreload" fetchpriority="low"')
          .replace('  </body>', `${styles.join('')}${start.slice(1)}  </body>`)
      },
    },
  }
}

/** Tells browsers that understand it to compile all of a file off the main thread, while it comes. */
function compileEarly(): Plugin {
  return {
    name: 'compile-early',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type === 'chunk') {
            file.code = `//# allFunctionsCalledOnLoad\n${file.code}`
          }
        }
      },
    },
  }
}

/** Puts a `.br` and a `.gz` beside each text file, so that the server never compresses by itself. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          if (!compressible.test(fileName)) continue
          const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source)
          const brotli = brotliCompressSync(bytes, {
            params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
          })
          this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotli })
          this.emitFile({
            type: 'asset',
            fileName: `${fileName}.gz`,
            source: gzipSync(bytes, { level: 9 }),
          })
        }
      },
    },
  }
}

/** What every page needs; of Vue Query only what reads and writes, since few pages have endless lists. */
const ground = [
  /node_modules\/(?:@vue|vue|vue-router|pinia|axios|i18next|i18next-vue)\//,
  /node_modules\/@tanstack\/(?!.*infinite)/i,
  /node_modules\/@lucide\/vue\/dist\/esm\/(?:create|Icon|default|shared|context)/,
  /src\/(?:app|i18n\/index|i18n\/en\/common|router\/(?!routes\/(?:admin|gate|linked)))/,
  /src\/(?:stores\/(?:prefs|session|kept)|api\/http|lib\/errors|queries\/installation)\.ts/,
  /src\/composables\/use(?:Toast|Announcer|PageTitle|Now|Media|Format)\.ts/,
  /src\/lib\/(?:locale|money|time)\.ts/,
  /src\/components\/(?:AppBrand|ThemeButton|ui\/Ui(?:Button|Field|IconButton|Notice|Spinner))\.vue/,
]

/** What looking for a place to park needs, on the first page and on a lot's, and the driver's frame. */
const search = [
  /src\/lib\/(?:offers|time-span|wish)\.ts/,
  /@lucide\/vue\/dist\/esm\/icons\/(?:calendar-days|car-front|search|user-round|warehouse|zap)\./,
  /src\/composables\/use(?:WindowQuery|VehicleQuery|Listener)\.ts/,
  /src\/(?:api|queries)\/(?:lots|vehicles)\.ts/,
  /src\/components\/ui\/Ui(?:Async|Badge|Empty|Select|Skeleton)\.vue/,
  /src\/features\/time-window\/(?:shown-hours|useShownHours|lazy|TimeWindowSkeleton)\./,
]

/**
 * Parts of axios that nothing here uses, yet its main module imports: 7 kB of the first load.
 *
 * Queries are written by `URLSearchParams`, flat as they are, and forms by `FormData`, no cookie is read by a
 * script and no progress is asked for (src/api/http.ts), so that none of these ever run or would find anything;
 * and that its options are right is seen by the compiler.
 */
const unused = [
  'adapters/fetch',
  'cancel/CancelToken',
  'core/assertParamsAcyclic',
  'core/setFormDataHeaders',
  'helpers/AxiosURLSearchParams',
  'helpers/HttpStatusCode',
  'helpers/cookies',
  'helpers/formDataToJSON',
  'helpers/isURLSameOrigin',
  'helpers/progressEventReducer',
  'helpers/toFormData',
  'helpers/toURLEncodedForm',
  'helpers/validator',
]

const nobody = `
  const check = () => undefined
  export default function nobody() {}
  nobody.assertOptions = nobody
  nobody.validators = { boolean: check, function: check, spelling: check, transitional: check }
  export const getFetch = () => null
  export const progressEventReducer = null
`

function leaveOut(): Plugin {
  const nothing = '\0nothing'
  return {
    name: 'leave-out',
    apply: 'build',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!importer?.includes('/axios/lib/') || !source.startsWith('.')) return undefined
      const path = new URL(source, `file://${importer}`).pathname
      return unused.some((part) => path.endsWith(`/axios/lib/${part}.js`)) ? nothing : undefined
    },
    load: (id) => (id === nothing ? nobody : undefined),
  }
}

export default defineConfig({
  plugins: [vue(), leaveOut(), paintFirst(), compileEarly(), precompress()],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false },
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // vee-validate marks its components as pure in a way that is not understood; none of them is used.
      treeshake: { manualPureFunctions: ['defineComponent'] },
      output: {
        codeSplitting: {
          groups: [
            {
              // One file compresses better than the many that this would become.
              name: 'ground',
              test: (id: string) => ground.some((part) => part.test(id)),
              priority: 2,
            },
            {
              name: 'search',
              test: (id: string) => search.some((part) => part.test(id)),
              priority: 1,
            },
          ],
        },
      },
    },
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    proxy: { '/api': api, '/dev': api, '/healthz': api },
  },
})
