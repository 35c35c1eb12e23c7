import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { nextTick, ref } from 'vue'
import { inSetup } from '@/test/in-setup'
import { usePageTitle } from './usePageTitle'

enableAutoUnmount(afterEach)

it('names the page and the product, and follows what is shown', async () => {
  const lot = ref('Altmarkt')
  await inSetup(() => usePageTitle(() => lot.value))
  expect(document.title).toBe('Altmarkt · Vehicle Vault')
  lot.value = 'Terrassenufer'
  await nextTick()
  expect(document.title).toBe('Terrassenufer · Vehicle Vault')
})
