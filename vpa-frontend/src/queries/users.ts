import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import * as api from '@/api/users'

type Id = MaybeRefOrGetter<number>

export const userKeys = {
  all: ['users'] as const,
  page: (filters: api.AccountQuery) => [...userKeys.all, 'page', filters] as const,
  one: (id: number) => [...userKeys.all, 'one', id] as const,
  sessions: (id: number) => [...userKeys.all, 'sessions', id] as const,
  staff: (lotId: number) => [...userKeys.all, 'staff', lotId] as const,
}

/** One page of a list of users. */
export function useUserPage(
  filters: MaybeRefOrGetter<api.AccountQuery>,
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  return useQuery({
    queryKey: computed(() => userKeys.page(toValue(filters))),
    queryFn: ({ signal }) => api.searchUsers(toValue(filters), signal),
    placeholderData: keepPreviousData,
    enabled: () => toValue(enabled),
  })
}

/** A user, with the tag of the state. */
export function useUser(id: Id, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: computed(() => userKeys.one(toValue(id))),
    queryFn: ({ signal }) => api.readUser(toValue(id), signal),
    // What is changed must be what is there.
    staleTime: 0,
    enabled: () => toValue(enabled),
  })
}

export function useUserSessions(id: Id) {
  return useQuery({
    queryKey: computed(() => userKeys.sessions(toValue(id))),
    queryFn: ({ signal }) => api.listUserSessions(toValue(id), signal),
    select: ({ items }) => items,
  })
}

/** What may be done to one user. */
export function useUserMutations(id: Id) {
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: userKeys.all })
  return {
    change: useMutation({
      mutationFn: ({ body, tag }: { body: api.AccountUpdate; tag?: string }) =>
        api.changeUser(toValue(id), body, tag),
      onSuccess(changed) {
        queries.setQueryData(userKeys.one(toValue(id)), changed)
        return onSuccess()
      },
    }),
    endSessions: useMutation({ mutationFn: () => api.endUserSessions(toValue(id)), onSuccess }),
    removeFactor: useMutation({
      mutationFn: () => api.removeUserSecondFactor(toValue(id)),
      onSuccess,
    }),
  }
}

/** Who works at a lot, with the tag of that state. */
export function useStaff(lotId: Id) {
  return useQuery({
    queryKey: computed(() => userKeys.staff(toValue(lotId))),
    queryFn: ({ signal }) => api.readStaff(toValue(lotId), signal),
  })
}

export function useStaffMutation(lotId: Id) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ userIds, tag }: { userIds: number[]; tag?: string }) =>
      api.setStaff(toValue(lotId), userIds, tag),
    onSuccess: (staff) => queries.setQueryData(userKeys.staff(toValue(lotId)), staff),
  })
}
