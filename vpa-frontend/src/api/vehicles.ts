import { call, type Schema } from './http'

export type Vehicle = Schema<'Vehicle'>
export type VehicleCreate = Schema<'VehicleCreate'>
export type VehicleUpdate = Schema<'VehicleUpdate'>

export const listVehicles = (signal?: AbortSignal) =>
  call('get', '/api/v1/vehicles', { query: { limit: 100 }, signal })

export const addVehicle = (body: VehicleCreate, idempotencyKey: string) =>
  call('post', '/api/v1/vehicles', { body, idempotencyKey })

export const changeVehicle = (id: number, body: VehicleUpdate) =>
  call('patch', '/api/v1/vehicles/{vehicle_id}', { path: { vehicle_id: id }, body })

export const deleteVehicle = (id: number) =>
  call('delete', '/api/v1/vehicles/{vehicle_id}', { path: { vehicle_id: id } })
