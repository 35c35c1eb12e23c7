/** Ends a piece of work, so that the browser may draw and answer before the next one. */
export function breathe(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?: () => Promise<void> } }
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve))
}

/** Loads a part that is drawn by itself, neither together with what loaded it nor with what else came. */
export function apart<Part>(load: () => Promise<Part>): () => Promise<Part> {
  return async () => {
    const part = await load()
    await breathe()
    return part
  }
}
