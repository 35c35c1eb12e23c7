import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { h } from 'vue'
import { showPart } from '@/test/part'
import UiTable from './UiTable.vue'

enableAutoUnmount(afterEach)

const columns = [
  { key: 'lot', label: 'Car park', isHead: true },
  { key: 'paid', label: 'Paid', align: 'end' },
]

const show = (rows: { id: number; lot: string; paid: string }[]) =>
  showPart(UiTable, {
    props: { caption: 'Bookings', columns, rows, rowKey: (row: { id: number }) => row.id },
    slots: {
      lot: ({ row }: { row: { lot: string } }) => h('b', row.lot),
      paid: ({ row }: { row: { paid: string } }) => row.paid,
    },
  })

describe('UiTable', () => {
  it('is named, headed, and can be scrolled by keyboard', () => {
    const table = show([{ id: 1, lot: 'Altmarkt', paid: '€4.00' }])
    expect(table.find('caption').text()).toBe('Bookings')
    expect(table.findAll('th').map((head) => [head.text(), head.attributes('scope')])).toEqual([
      ['Car park', 'col'],
      ['Paid', 'col'],
    ])
    expect(table.find('[role=region]').attributes()).toMatchObject({
      'aria-label': 'Bookings',
      tabindex: '0',
    })
  })

  it('shows each row through the slots of its columns, with the labels that a card needs', () => {
    const table = show([
      { id: 1, lot: 'Altmarkt', paid: '€4.00' },
      { id: 2, lot: 'Terrassenufer', paid: '€19.00' },
    ])
    const rows = table.findAll('tbody tr')
    expect(rows.map((row) => row.findAll('td').map((cell) => cell.text()))).toEqual([
      ['Altmarkt', '€4.00'],
      ['Terrassenufer', '€19.00'],
    ])
    const [lot, paid] = rows[0]?.findAll('td') ?? []
    expect(lot?.attributes('data-head')).toBe('true')
    expect(paid?.attributes()).toMatchObject({ 'data-label': 'Paid', 'data-align': 'end' })
  })

  it('says that there is nothing, over all columns', () => {
    const cell = show([]).find('tbody td')
    expect(cell.text()).toBe('Nothing here yet')
    expect(cell.attributes('colspan')).toBe('2')
  })
})
