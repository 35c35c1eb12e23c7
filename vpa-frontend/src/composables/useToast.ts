import i18next from 'i18next'
import { ref } from 'vue'
import { isApiError } from '@/lib/errors'

/** Set by the first toast, and then the page brings the toaster. */
export const isToasterWanted = ref(false)

interface ToastAction {
  label: string
  onClick: () => void
}

let tellThatItIsThere: () => void
const isThere = new Promise<void>((resolve) => {
  tellThatItIsThere = resolve
})

/** The toaster says so when it is on the page: what came before would be lost on it. */
export function toasterIsThere(): void {
  tellThatItIsThere()
}

async function toaster() {
  isToasterWanted.value = true
  const [{ toast }] = await Promise.all([import('vue-sonner'), isThere])
  return toast
}

/** Tells the result of something that the user just did; never the only place where it stands. */
export function useToast() {
  return {
    async done(text: string, action?: ToastAction): Promise<void> {
      const toast = await toaster()
      toast.success(text, { duration: 4000, action })
    },
    /** Stays until it is closed; one with the same id takes its place. */
    async failed(text: string, id?: string): Promise<void> {
      const toast = await toaster()
      toast.error(text, { id, duration: Number.POSITIVE_INFINITY })
    },
    async dismiss(id: string): Promise<void> {
      if (isToasterWanted.value) (await toaster()).dismiss(id)
    },
    /** The one sink of errors that no screen has a better place for. */
    async unexpected(error: unknown): Promise<void> {
      const toast = await toaster()
      toast.error(sayError(error), { duration: Number.POSITIVE_INFINITY })
    },
  }
}

/** An error in a sentence that says what to do. */
export function sayError(error: unknown): string {
  const t = i18next.t
  if (!isApiError(error)) return t('error.unknownPlain')
  switch (error.kind) {
    case 'network':
      return t('error.network')
    case 'slow-down':
      return sayWait(error.retryAfter ?? 60)
    case 'unknown':
      return error.requestId
        ? t('error.unknown', { reference: error.requestId })
        : t('error.unknownPlain')
    case 'fields':
      return Object.values(error.fields)[0]?.[0] ?? t('error.summary')
    case 'signed-out':
      // What the API says of a missing token is meant for programs.
      return error.slug === 'invalid-credentials' ? error.message : t('again.title')
    case 'forbidden':
      return error.message || t('error.forbidden')
    case 'missing':
      return error.message || t('error.missing')
    default:
      return error.message || t('error.unknownPlain')
  }
}

function sayWait(seconds: number): string {
  return seconds > 90
    ? i18next.t('error.slowDownMinutes', { count: Math.ceil(seconds / 60) })
    : i18next.t('error.slowDown', { count: seconds })
}
