import { useTranslation } from 'i18next-vue'
import { computed, type Ref } from 'vue'
import type { Look } from '@/api/links'
import { useFormat } from '@/composables/useFormat'

export interface Amount {
  name: string
  value: string
}

interface LinkWords {
  title: string
  text: string
  act: string
  amounts: readonly Amount[]
  done?: string
  doneText?: string
  whyNot?: string
  whyNotText?: string
  changed?: string
}

/** What the page of a link says: what its tap does, what that costs or gives back, and what became of it. */
export function useLinkWords(look: Ref<Look | undefined>) {
  const { t } = useTranslation()
  const format = useFormat()

  function ofExtension(told: Look): LinkWords {
    const { reservation, extension } = told
    const time = (instant: string) => format.dayTime(instant, reservation.timezone)
    const words: LinkWords = {
      title: told.done ? t('links:extend.doneTitle') : t('links:extend.title'),
      text: told.done ? '' : t('links:extend.text'),
      act: '',
      amounts: [],
    }
    if (told.why_not === 'lot_not_open') {
      words.whyNot = t('links:extend.shutTitle')
      words.whyNotText = t('links:extend.shut')
    } else if (told.why_not) {
      words.whyNot = t('links:extend.takenTitle')
      const free = told.longest_ends_at
      words.whyNotText =
        free && new Date(free) > new Date(reservation.ends_at)
          ? t('links:extend.taken', { time: time(free) })
          : t('links:extend.takenNow')
    }
    if (!extension || told.why_not) return words
    const money = (minor: number) => format.money(minor, extension.currency)
    const until = format.time(extension.ends_at, reservation.timezone)
    const due = extension.due_minor
    words.act = due
      ? t('links:extend.actFor', { time: until, amount: money(due) })
      : t('links:extend.act', { time: until })
    words.amounts = [
      ...(told.done ? [] : [{ name: t('links:extend.until'), value: time(extension.ends_at) }]),
      { name: t('links:extend.price'), value: money(extension.price_minor) },
      { name: t('links:extend.due'), value: money(due) },
    ]
    if (told.done) {
      words.done = t('links:extend.done', { time: until })
      words.doneText = due
        ? t('links:extend.doneDue', { amount: money(due) })
        : t('links:extend.doneText')
    }
    return words
  }

  function ofCancellation(told: Look): LinkWords {
    const { cancellation } = told
    const money = (minor: number) => format.money(minor, cancellation?.currency ?? '')
    const back = cancellation?.refund_minor
      ? { amount: money(cancellation.refund_minor) }
      : undefined
    return {
      title: told.done ? t('links:cancel.doneTitle') : t('links:cancel.title'),
      text: told.done ? '' : t('links:cancel.text'),
      act: back ? t('links:cancel.actFor', back) : t('links:cancel.act'),
      amounts: cancellation
        ? [
            { name: t('links:cancel.back'), value: money(cancellation.refund_minor) },
            { name: t('links:cancel.kept'), value: money(cancellation.kept_minor) },
          ]
        : [],
      changed: t('links:cancel.changed', { amount: money(cancellation?.refund_minor ?? 0) }),
      ...(told.done && {
        done: t('links:cancel.done'),
        doneText: back ? t('links:cancel.doneBack', back) : t('links:cancel.doneText'),
      }),
    }
  }

  function ofDirections(told: Look): LinkWords {
    return {
      title: t('links:directions.title', { lot: told.reservation.lot }),
      text: t('links:directions.text'),
      act: t('links:directions.act'),
      amounts: [],
    }
  }

  return computed(() => {
    const told = look.value
    if (!told) return undefined
    if (told.action === 'extend') return ofExtension(told)
    return told.action === 'cancel' ? ofCancellation(told) : ofDirections(told)
  })
}
