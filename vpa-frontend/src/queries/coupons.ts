import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/coupons'

export const couponKeys = {
  all: ['coupons'] as const,
  page: (query: api.CouponQuery) => [...couponKeys.all, 'page', query] as const,
}

/** One page of the list of coupons. */
export function useCouponPage(query: MaybeRefOrGetter<api.CouponQuery>) {
  return useQuery({
    queryKey: computed(() => couponKeys.page(toValue(query))),
    queryFn: ({ signal }) => api.listCoupons(toValue(query), signal),
    placeholderData: keepPreviousData,
  })
}

export function useCouponMutations() {
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: couponKeys.all })
  return {
    create: useMutation({
      mutationFn: ({ body, key }: { body: api.CouponCreate; key: string }) =>
        api.createCoupon(body, key),
      onSuccess,
    }),
    change: useMutation({
      mutationFn: ({ id, body }: { id: number; body: api.CouponUpdate }) =>
        api.changeCoupon(id, body),
      onSuccess,
    }),
  }
}
