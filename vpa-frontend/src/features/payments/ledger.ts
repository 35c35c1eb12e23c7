import i18next from 'i18next'
import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { LedgerAccount, LedgerQuery } from '@/api/admin-payments'
import { momentsOf, readAddress, writeAddress } from '@/lib/list-address'

export const PAGE_SIZE = 50
export const ACCOUNTS = [
  'gateway:sandbox',
  'gateway:stripe',
  'cash',
  'reservations',
  'refunds_payable',
] as const satisfies readonly LedgerAccount[]

/** Which entries of the ledger are shown, as the address keeps it. */
export interface LedgerFilters {
  account: LedgerAccount | ''
  reservation: number | undefined
  /** Days such as 2026-11-26, both of them included. */
  from: string
  to: string
  /** Where the page before ended; empty for the first one. */
  after: string
  page: number
}

export const NO_FILTERS: LedgerFilters = {
  account: '',
  reservation: undefined,
  from: '',
  to: '',
  after: '',
  page: 1,
}

export function readFilters(query: LocationQuery): LedgerFilters {
  const { oneOf, id, day, place } = readAddress(query)
  return {
    account: oneOf('account', ACCOUNTS, ''),
    reservation: id('reservation'),
    from: day('from'),
    to: day('to'),
    ...place(),
  }
}

export const writeFilters = (filters: LedgerFilters): LocationQueryRaw => writeAddress(filters)

/** The same as the API asks for it; its days are those of the zone. */
export function ledgerQueryOf(filters: LedgerFilters, zone: string): LedgerQuery {
  const { account, reservation, after } = filters
  return {
    limit: PAGE_SIZE,
    ...(account && { account }),
    ...(reservation && { reservation_id: reservation }),
    ...momentsOf(filters, zone),
    ...(after && { cursor: after }),
  }
}

/** An account in words: `gateway:stripe` is at Stripe. */
export function sayAccount(account: LedgerAccount): string {
  switch (account) {
    case 'cash':
    case 'reservations':
    case 'refunds_payable':
      return i18next.t(`money:ledger.accounts.${account}`)
    case 'gateway:sandbox':
      return i18next.t('money:ledger.accounts.gateway', { name: i18next.t('money:by.sandbox') })
    case 'gateway:stripe':
      return i18next.t('money:ledger.accounts.gateway', { name: i18next.t('money:by.stripe') })
  }
}
