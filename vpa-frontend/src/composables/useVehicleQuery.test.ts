import { enableAutoUnmount } from '@vue/test-utils'
import { HttpResponse, http } from 'msw'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { usePrefs } from '@/stores/prefs'
import { useSession } from '@/stores/session'
import { inSetup } from '@/test/in-setup'
import { settled } from '@/test/page'
import { aSignIn, aVehicle } from '@/test/people'
import { server, useServer } from '@/test/server'
import { useVehicleQuery } from './useVehicleQuery'

useServer()
enableAutoUnmount(afterEach)
beforeEach(() => localStorage.clear())

/** As a driver who has these. */
async function asDriver(path: string, ...items: ReturnType<typeof aVehicle>[]) {
  server.use(
    http.post('*/auth/login', () => HttpResponse.json(aSignIn())),
    http.get('*/api/v1/vehicles', () =>
      HttpResponse.json({ items, next_cursor: null, total: items.length }),
    ),
  )
  const opened = await inSetup(
    () => ({ vehicle: useVehicleQuery(), session: useSession(), prefs: usePrefs() }),
    path,
  )
  const { session, vehicle } = opened.result
  await session.signIn({ email: 'asha@example.com', password: 'kerb-paint-17' })
  await settled(() => vehicle.isReady.value)
  return { ...opened, ...opened.result }
}

it('is a kind for guests, a car at first', async () => {
  const { result, router } = await inSetup(useVehicleQuery)
  expect([result.isReady.value, result.value.value]).toEqual([true, 'car'])
  expect(result.options.value.map((each) => each.label)).toEqual([
    'Car',
    'Electric car',
    'Motorcycle',
    'Van',
  ])
  await result.choose('electric-car')
  expect(router.currentRoute.value.query['vehicle']).toBe('electric-car')
  expect(result.wish.value).toEqual({ vehicle_kind: 'car', electric: true })
  expect(result.vehicle.value).toBeUndefined()
})

it('is one of the driver’s own, and the browser remembers which', async () => {
  const van = aVehicle({ id: 6, kind: 'van', label: 'Transporter', plate: 'DDVA1', height_cm: 250 })
  const { vehicle, router, prefs } = await asDriver('/?vehicle=99', aVehicle(), van)
  expect(vehicle.value.value).toBe('4')
  expect(vehicle.options.value).toEqual([
    { value: '4', label: 'Golf · DDAB1234' },
    { value: '6', label: 'Transporter · DDVA1' },
  ])
  await vehicle.choose('6')
  expect(router.currentRoute.value.query['vehicle']).toBe('6')
  expect(vehicle.wish.value).toEqual({ vehicle_kind: 'van', height_cm: 250 })
  expect(prefs.lastVehicleId).toBe(6)
})

it('is a kind for a driver who has entered no vehicle', async () => {
  const { vehicle } = await asDriver('/?vehicle=van')
  expect(vehicle.value.value).toBe('van')
  expect(vehicle.options.value).toHaveLength(4)
})
