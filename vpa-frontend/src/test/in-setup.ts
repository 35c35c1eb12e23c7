import { defineComponent } from 'vue'
import { openPage } from './page'

/** Runs a composable as a component of a page does. */
export async function inSetup<Result>(use: () => Result, path = '/') {
  let result: Result | undefined
  const Host = defineComponent({
    setup() {
      result = use()
      return () => null
    },
  })
  const opened = await openPage(Host, path)
  return { ...opened, result: result as Result }
}
