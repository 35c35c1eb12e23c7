import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Vehicle } from '@/api/vehicles'
import { openPage, settled } from '@/test/page'
import { aVehicle } from '@/test/people'
import { refuse, server, useServer } from '@/test/server'
import VehiclesView from './VehiclesView.vue'

const toast = vi.hoisted(() => ({
  done: vi.fn(),
  failed: vi.fn(),
  unexpected: vi.fn(),
  dismiss: vi.fn(),
}))
vi.mock('@/composables/useToast', async (original) => ({
  ...(await original<object>()),
  useToast: () => toast,
}))

useServer()
enableAutoUnmount(afterEach)

let garage: Vehicle[]
beforeEach(() => {
  for (const said of Object.values(toast)) said.mockReset()
  garage = [
    aVehicle({ height_cm: 150 }),
    aVehicle({
      id: 5,
      plate: 'DDEV77E',
      electric: true,
      label: 'Work',
      make: '',
      model: '',
      colour: '',
      is_default: false,
    }),
  ]
  server.use(
    http.get('*/api/v1/vehicles', () =>
      HttpResponse.json({ items: garage, next_cursor: null, total: garage.length }),
    ),
  )
})

async function open() {
  const { page } = await openPage(VehiclesView, '/vehicles')
  await settled(() => page.findAll('[role=status]').length === 0)
  return {
    page,
    cards: () => page.findAll('.grid > li').map((card) => card.text().replace(/\s+/g, ' ')),
    async press(name: string) {
      const button = [...document.querySelectorAll<HTMLElement>('button')].find(
        (each) => (each.getAttribute('aria-label') ?? each.textContent?.trim()) === name,
      )
      button?.click()
      await settled(() => true)
      expect(button, name).toBeDefined()
    },
  }
}
const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
const isOpen = () => settled(() => dialog() !== null)
const isClosed = () => settled(() => dialog() === null)

describe('VehiclesView', () => {
  it('lists the vehicles with what tells them apart', async () => {
    const { cards, page } = await open()
    expect(cards()).toEqual([
      'DDAB1234DefaultVolkswagen Golf, blackCar150 cm highEdit',
      'DDEV77EWorkCarElectricEditMake default',
    ])
    expect(page.findAll('h1')).toHaveLength(1)
  })

  it('has one thing to do when there is none', async () => {
    garage = []
    const { page, press } = await open()
    expect(page.text()).toContain('No vehicle yet')
    expect(page.findAll('button').map((button) => button.text())).toEqual(['Add vehicle'])
    await press('Add vehicle')
    await isOpen()
    expect(dialog()?.textContent).toContain('Add a vehicle')
  })

  it('says when they do not load, and tries again', async () => {
    server.use(http.get('*/api/v1/vehicles', () => HttpResponse.error(), { once: true }))
    const { page, press, cards } = await open()
    await settled(() => page.find('[role=alert]').exists())
    expect(page.find('[role=alert]').text()).toContain('The server does not answer')
    await press('Try again')
    await settled(() => cards().length === 2)
    expect(cards()).toHaveLength(2)
  })

  it('adds one, closes the form, shows it in the list and says so', async () => {
    server.use(
      http.post('*/api/v1/vehicles', () => {
        const added = aVehicle({ id: 6, plate: 'DDNEW1', is_default: false })
        garage.push(added)
        return HttpResponse.json(added, { status: 201 })
      }),
    )
    const { page, press, cards } = await open()
    await press('Add vehicle')
    await isOpen()
    const plate = dialog()?.querySelector<HTMLInputElement>('[name=plate]')
    if (plate) plate.value = 'DDNEW1'
    plate?.dispatchEvent(new Event('input', { bubbles: true }))
    dialog()
      ?.querySelector('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }))
    await isClosed()
    await settled(() => cards().length === 3)
    expect(page.text()).toContain('DDNEW1')
    expect(toast.done).toHaveBeenCalledWith('DDNEW1 was added.')
  })

  it('opens the form of the one that is to change', async () => {
    const { press } = await open()
    await press('Edit DDEV77E')
    await isOpen()
    expect(dialog()?.textContent).toContain('Change DDEV77E')
    expect(dialog()?.querySelector<HTMLInputElement>('[name=label]')?.value).toBe('Work')
  })

  it('makes another one the default', async () => {
    let sent: unknown
    server.use(
      http.patch('*/api/v1/vehicles/5', async ({ request }) => {
        sent = await request.json()
        garage = garage.map((each) => ({ ...each, is_default: each.id === 5 }))
        return HttpResponse.json(garage[1])
      }),
    )
    const { press, cards } = await open()
    await press('Make default: DDEV77E')
    await settled(() => cards()[1]?.includes('Default') ?? false)
    expect(sent).toEqual({ is_default: true })
    expect(cards()[0]).not.toContain('Volkswagen Golf, black Default')
    expect(toast.done).toHaveBeenCalledWith('DDEV77E is your default vehicle now.')
  })

  it('says when that does not work', async () => {
    server.use(http.patch('*/api/v1/vehicles/5', () => HttpResponse.error()))
    const { press } = await open()
    await press('Make default: DDEV77E')
    await settled(() => toast.unexpected.mock.calls.length > 0)
    expect(toast.unexpected).toHaveBeenCalledOnce()
  })

  it('asks before one is deleted, naming the plate, and says what else changes', async () => {
    server.use(
      http.delete('*/api/v1/vehicles/4', () => {
        garage = [aVehicle({ ...garage[1], is_default: true })]
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const { press, cards } = await open()
    await press('Delete DDAB1234')
    await isOpen()
    expect(dialog()?.textContent).toContain('Delete DDAB1234?')
    expect(dialog()?.textContent).toContain('another vehicle becomes the default')
    await press('Delete vehicle')
    await isClosed()
    expect(cards()).toHaveLength(1)
    expect(toast.done).toHaveBeenCalledWith('DDAB1234 was deleted.')
  })

  it('deletes nothing when one would rather not', async () => {
    const { press, cards } = await open()
    await press('Delete DDEV77E')
    await isOpen()
    expect(dialog()?.textContent).not.toContain('another vehicle becomes the default')
    await press('Cancel')
    await isClosed()
    expect(cards()).toHaveLength(2)
  })

  it('explains in its place why one with a booking stays', async () => {
    server.use(http.delete('*/api/v1/vehicles/4', () => refuse(409, 'vehicle-in-use')))
    const { press } = await open()
    await press('Delete DDAB1234')
    await isOpen()
    await press('Delete vehicle')
    await settled(() => dialog()?.querySelector('[role=alert]') != null)
    expect(dialog()?.querySelector('[role=alert]')?.textContent).toContain('DDAB1234 has a booking')
    expect(dialog()?.querySelector('a')?.getAttribute('href')).toBe('/bookings')
  })

  it('says in its place when deleting fails otherwise', async () => {
    server.use(http.delete('*/api/v1/vehicles/4', () => HttpResponse.error()))
    const { press } = await open()
    await press('Delete DDAB1234')
    await isOpen()
    await press('Delete vehicle')
    await settled(() => dialog()?.querySelector('[role=alert]') != null)
    expect(dialog()?.querySelector('[role=alert]')?.textContent).toContain('does not answer')
  })
})
