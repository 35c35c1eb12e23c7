import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** The narrowest phones, and what a page at 1280 px is when it is enlarged four times (WCAG 1.4.10). */
const NARROW = [360, 320]

/** Opens a page and waits until everything it asked for is there. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await isReady(page)
}

/** One heading of the first level, and nothing that still loads. */
export async function isReady(page: Page): Promise<void> {
  // A dialog hides it from the tree, not from the page.
  await expect(page.getByRole('heading', { level: 1, includeHidden: true })).toHaveCount(1)
  await expect(page.getByText('Loading', { exact: true })).toHaveCount(0)
}

/** No axe violation of WCAG 2.0 to 2.2, A and AA, on the page as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(() => {
    // What the browser leaves out of sight, or under a bar that sticks, has no true size to judge.
    for (const element of document.querySelectorAll<HTMLElement>('*')) {
      if (getComputedStyle(element).contentVisibility === 'auto') {
        element.style.contentVisibility = 'visible'
      }
    }
    window.scrollTo(0, 0)
  })
  await settle(page)
  const { violations } = await new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze()
  const told = violations.map(
    (violation) =>
      `${violation.id}: ${violation.help}\n  ${violation.nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary ?? ''}`).join('\n  ')}`,
  )
  expect(told, `axe on ${page.url()}`).toEqual([])
}

/** Nothing sticks out at the side, neither at this width nor at the narrow ones. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const size = page.viewportSize()
  for (const width of [...(size ? [size.width] : []), ...NARROW]) {
    if (size) await page.setViewportSize({ width, height: size.height })
    await settle(page)
    const { content, visible, widest } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      const outside = [...document.body.querySelectorAll('*')].filter(
        (element) => element.getBoundingClientRect().right > clientWidth + 1,
      )
      return {
        content: scrollWidth,
        visible: clientWidth,
        widest: outside.slice(0, 5).map((element) => element.outerHTML.slice(0, 120)),
      }
    })
    const outside = content > visible ? `: ${widest.join('\n')}` : ''
    expect(content, `width of ${page.url()} at ${String(width)} px${outside}`).toBeLessThanOrEqual(
      visible,
    )
  }
  if (size) await page.setViewportSize(size)
}

/** Waits for the end of every animation that ends, so that colours and places are final. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready
    const finite = document
      .getAnimations()
      .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
    await Promise.allSettled(finite.map((animation) => animation.finished))
  })
}
