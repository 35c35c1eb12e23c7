import { configDefaults, defineConfig, mergeConfig } from 'vitest/config'
import viteConfig from './vite.config.ts'

export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      environment: 'happy-dom',
      exclude: [...configDefaults.exclude, 'e2e/**'],
      setupFiles: ['src/test/setup.ts'],
      restoreMocks: true,
      // By itself it leaves one core idle, which on two is half of them.
      maxWorkers: '100%',
      // A busy machine takes its time to load a part that comes late.
      testTimeout: 20_000,
      // A lot's zone is never the machine's: tests run where the two differ.
      env: { TZ: 'America/St_Johns' },
      coverage: {
        provider: 'v8',
        include: ['src/lib/**', 'src/composables/**', 'src/components/**', 'src/features/**'],
        exclude: ['**/*.test.ts'],
        reporter: ['text-summary'],
        // What others build on; the screens are measured together, and by the browser's tests.
        thresholds: {
          'src/lib/**': { lines: 90 },
          'src/composables/**': { lines: 90 },
        },
      },
    },
  }),
)
