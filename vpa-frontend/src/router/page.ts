import type { Component } from 'vue'
import { loadWords, type WordFile } from '@/i18n'
import { breathe } from '@/lib/breathe'

/** A page that comes, with its words, when it is first opened. */
export function page<Module extends { default: Component }>(
  load: () => Promise<Module>,
  ...words: WordFile[]
) {
  return async (): Promise<Module> => {
    const [module] = await Promise.all([load(), ...words.map(loadWords)])
    await breathe()
    return module
  }
}
