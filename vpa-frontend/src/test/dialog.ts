import { given } from './page'

/** The dialog that is open. */
export const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')

/** Presses the button with these words, by default anywhere in the document. */
export function press(name: string, within: ParentNode = document): void {
  const found = [...within.querySelectorAll<HTMLElement>('button')].find(
    (each) => (each.getAttribute('aria-label') ?? each.textContent ?? '').trim() === name,
  )
  given(found).click()
}
