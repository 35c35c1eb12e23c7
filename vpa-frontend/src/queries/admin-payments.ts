import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/admin-payments'
import { downloadCreditNote } from '@/api/refunds'
import { paymentKeys } from './payments'
import { reservationKeys } from './reservations'

type Id = MaybeRefOrGetter<number>

export const adminPaymentKeys = {
  page: (query: api.PaymentQuery) => [...paymentKeys.all, 'page', query] as const,
  one: (id: number) => [...paymentKeys.all, 'one', id] as const,
  refunds: (id: number) => [...paymentKeys.all, 'refunds', id] as const,
  ledger: (query: api.LedgerQuery) => [...paymentKeys.all, 'ledger', query] as const,
  balances: () => [...paymentKeys.all, 'balances'] as const,
}

/** One page of all payments. */
export function usePaymentPage(query: MaybeRefOrGetter<api.PaymentQuery>) {
  return useQuery({
    queryKey: computed(() => adminPaymentKeys.page(toValue(query))),
    queryFn: ({ signal }) => api.searchPayments(toValue(query), signal),
    placeholderData: keepPreviousData,
  })
}

export function usePayment(id: Id) {
  return useQuery({
    queryKey: computed(() => adminPaymentKeys.one(toValue(id))),
    queryFn: ({ signal }) => api.readPayment(toValue(id), signal),
    // What is refunded must be what is there.
    staleTime: 0,
  })
}

export function usePaymentRefunds(id: Id) {
  return useQuery({
    queryKey: computed(() => adminPaymentKeys.refunds(toValue(id))),
    queryFn: ({ signal }) => api.listRefunds(toValue(id), signal),
    select: ({ items }) => items,
    staleTime: 0,
  })
}

/** What an admin does with a payment; whatever tells of money is asked again after it. */
export function usePaymentActs(id: Id) {
  const queries = useQueryClient()
  const onSettled = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: paymentKeys.all }),
      queries.invalidateQueries({ queryKey: reservationKeys.all }),
    ])
  return {
    refund: useMutation({
      mutationFn: ({ body, key }: { body: api.RefundCreate; key: string }) =>
        api.refundPayment(toValue(id), body, key),
      onSettled,
    }),
    decide: useMutation({
      mutationFn: ({ decision, key }: { decision: api.PaymentDecision; key: string }) =>
        api.decidePayment(toValue(id), decision, key),
      onSettled,
    }),
  }
}

/** Fetches a credit note as a file, when someone wants it. */
export const useCreditNote = () => useMutation({ mutationFn: downloadCreditNote })

/** One page of the ledger. */
export function useLedgerPage(query: MaybeRefOrGetter<api.LedgerQuery>) {
  return useQuery({
    queryKey: computed(() => adminPaymentKeys.ledger(toValue(query))),
    queryFn: ({ signal }) => api.searchLedger(toValue(query), signal),
    placeholderData: keepPreviousData,
  })
}

/** What each account of the ledger stands at. */
export const useBalances = () =>
  useQuery({
    queryKey: adminPaymentKeys.balances(),
    queryFn: ({ signal }) => api.readBalances(signal),
    select: ({ items }) => items,
    staleTime: 0,
  })
