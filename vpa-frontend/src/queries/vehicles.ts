import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/vehicles'

export const vehicleKeys = { all: ['vehicles'] as const }

export function useVehicles(enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: vehicleKeys.all,
    queryFn: ({ signal }) => api.listVehicles(signal),
    select: (page) => page.items,
    staleTime: 5 * 60_000,
    enabled: () => toValue(enabled),
  })
}

export function useVehicleMutations() {
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: vehicleKeys.all })
  return {
    add: useMutation({
      mutationFn: ({ body, key }: { body: api.VehicleCreate; key: string }) =>
        api.addVehicle(body, key),
      onSuccess,
    }),
    change: useMutation({
      mutationFn: ({ id, body }: { id: number; body: api.VehicleUpdate }) =>
        api.changeVehicle(id, body),
      onSuccess,
    }),
    remove: useMutation({ mutationFn: api.deleteVehicle, onSuccess }),
  }
}
