import { expect, it } from 'vitest'
import { aVehicle } from '@/test/people'
import { vehicleName } from './vehicle-name'

it('names a vehicle by the first thing that is known of it', () => {
  expect(vehicleName(aVehicle({ label: 'Family car' }), 'Car')).toBe('Family car')
  expect(vehicleName(aVehicle(), 'Car')).toBe('Golf')
  expect(vehicleName(aVehicle({ model: '' }), 'Car')).toBe('Volkswagen')
  expect(vehicleName(aVehicle({ model: '', make: '' }), 'Car')).toBe('Car')
})
