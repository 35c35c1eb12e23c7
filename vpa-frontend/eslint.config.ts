import skipFormatting from '@vue/eslint-config-prettier/skip-formatting'
import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import pluginSecurity from 'eslint-plugin-security'
import pluginVue from 'eslint-plugin-vue'
import pluginA11y from 'eslint-plugin-vuejs-accessibility'
import { globalIgnores } from 'eslint/config'

export default defineConfigWithVueTs(
  globalIgnores(['dist/**', 'coverage/**', 'shots/**', 'test-results/**', 'src/api/schema.d.ts']),
  { files: ['**/*.{ts,mts,vue}'] },
  pluginVue.configs['flat/recommended'],
  vueTsConfigs.strict,
  ...pluginA11y.configs['flat/recommended'],
  pluginSecurity.configs.recommended,
  {
    rules: {
      // It means each index that is a variable; here vue-tsc knows what those may be.
      'security/detect-object-injection': 'off',
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/define-macros-order': [
        'error',
        {
          order: ['defineOptions', 'defineProps', 'defineModel', 'defineEmits', 'defineSlots'],
        },
      ],
      'vue/no-v-html': 'error',
      'vue/require-default-prop': 'off',
      'vue/multi-word-component-names': 'error',
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
      'no-console': 'error',
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'zod', message: 'zod/mini is a fifth of the size.' },
            { name: 'axios', message: 'Only src/api/http.ts speaks HTTP.' },
          ],
          patterns: [
            {
              group: ['**/../features/*'],
              message: 'Features do not import each other; views join them.',
            },
          ],
        },
      ],
    },
  },
  {
    // These run on the machine of who builds, over its own files.
    files: ['e2e/**', 'scripts/**', '*.ts'],
    rules: {
      'security/detect-non-literal-fs-filename': 'off',
      'security/detect-non-literal-regexp': 'off',
      'security/detect-unsafe-regex': 'off',
    },
  },
  {
    files: ['src/api/http.ts', 'src/lib/errors.ts', 'src/lib/errors.test.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['src/features/**/*.{ts,vue}', 'src/components/**/*.{ts,vue}'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'zod', message: 'zod/mini is a fifth of the size.' },
            { name: 'axios', message: 'Only src/api/http.ts speaks HTTP.' },
          ],
          patterns: [
            {
              group: ['@/views/*', '@/layouts/*'],
              message: 'Imports go views → features → components → lib.',
            },
          ],
        },
      ],
    },
  },
  {
    // UiField ties the label to the control by its id, which the rule cannot see.
    files: ['src/components/ui/*.vue'],
    rules: { 'vuejs-accessibility/form-control-has-label': 'off' },
  },
  skipFormatting,
)
