import { useQuery } from '@tanstack/vue-query'
import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { inSetup } from '@/test/in-setup'
import { settled } from '@/test/page'
import { useRefreshBookings } from './live'
import { reservationKeys } from './reservations'

enableAutoUnmount(afterEach)

async function show() {
  const asked: string[] = []
  const state = { status: 'confirmed' }
  const opened = await inSetup(() => {
    const booking = (id: number) =>
      useQuery({
        queryKey: reservationKeys.detail(id),
        queryFn: () => {
          asked.push(`booking ${String(id)}`)
          return state.status
        },
      })
    const shown = booking(1)
    booking(2)
    useQuery({
      queryKey: reservationKeys.ticket(1),
      queryFn: () => {
        asked.push('ticket')
        return 'code'
      },
      enabled: () => shown.data.value === 'confirmed',
    })
    useQuery({
      queryKey: reservationKeys.payments(1),
      queryFn: () => {
        asked.push('payments')
        return []
      },
    })
    return useRefreshBookings()
  })
  await settled(() => asked.length === 4)
  asked.length = 0
  return { refresh: opened.result, asked, state }
}

it('asks for a booking, and then for what hangs on it', async () => {
  const { refresh, asked } = await show()
  refresh(1)
  await settled(() => asked.length === 3)
  expect(asked).toEqual(['booking 1', 'ticket', 'payments'])
})

it('asks for no ticket that is gone by what happened, however often that is told', async () => {
  const { refresh, asked, state } = await show()
  state.status = 'cancelled'
  refresh(1)
  refresh(1)
  await settled(() => asked.length === 4)
  expect(asked).toEqual(['booking 1', 'payments', 'booking 1', 'payments'])
})

it('asks for all bookings when it is not known what happened', async () => {
  const { refresh, asked } = await show()
  refresh()
  await settled(() => asked.length === 4)
  expect(asked).toEqual(['booking 1', 'booking 2', 'ticket', 'payments'])
})
