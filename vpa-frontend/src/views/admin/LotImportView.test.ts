import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, describe, expect, it } from 'vitest'
import { given, openPage, settled } from '@/test/page'
import { refuse, server, useServer } from '@/test/server'
import LotImportView from './LotImportView.vue'

useServer()
enableAutoUnmount(afterEach)

const report = {
  created: 1,
  changed: 0,
  unchanged: 0,
  refused: 1,
  rows: [
    { row: 2, external_id: 'x1', name: 'Neu A', outcome: 'created', notes: [] },
    {
      row: 3,
      external_id: null,
      name: null,
      outcome: 'refused',
      notes: [{ level: 'refused', field: 'lat', message: 'The lot has no coordinates.' }],
    },
  ],
  notes: [],
}

async function choose(name: string) {
  const { page } = await openPage(LotImportView, '/admin/lots/import')
  const input = page.find<HTMLInputElement>('input[type=file]')
  Object.defineProperty(input.element, 'files', {
    value: [new File(['place_id'], name)],
    configurable: true,
  })
  await input.trigger('change')
  const button = (start: string) =>
    page.findAll('button').find((each) => each.text().startsWith(start))
  return { page, button }
}

describe('LotImportView', () => {
  it('tries a file first, shows what would become of its rows, and only then imports it', async () => {
    const dry: boolean[] = []
    server.use(
      http.post('*/api/v1/lots/import', async ({ request }) => {
        const isDry = (await request.text()).includes('true')
        dry.push(isDry)
        return HttpResponse.json({ ...report, dry_run: isDry })
      }),
    )
    const { page, button } = await choose('lots.csv')
    await settled(() => button('Import 1 lot') !== undefined)
    expect(dry).toEqual([true])
    expect(page.text()).toContain('Checked, nothing is saved yet')
    expect(page.text()).toContain('The lot has no coordinates.')
    await given(button('Import 1 lot')).trigger('click')
    await settled(() => page.text().includes('Import finished'))
    expect(dry).toEqual([true, false])
    expect(page.findAll('a').some((each) => each.text() === 'Go to the lots')).toBe(true)
  })

  it('says why a file cannot be read', async () => {
    server.use(
      http.post('*/api/v1/lots/import', () =>
        refuse(422, 'file-unreadable', 'The header lacks: capacity.'),
      ),
    )
    const { page, button } = await choose('lots.csv')
    await settled(() => page.text().includes('lacks'))
    expect(page.text()).toContain('The header lacks: capacity.')
    expect(button('Import')).toBeUndefined()
    expect(button('Choose another file')).toBeDefined()
  })

  it('does not send what is no file of lots', async () => {
    const { page } = await choose('notes.txt')
    expect(page.find('[role=alert]').text()).toBe('notes.txt is none of GeoJSON, CSV or XLSX.')
  })
})
