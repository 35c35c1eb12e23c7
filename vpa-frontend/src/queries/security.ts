import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import * as api from '@/api/security'
import { isApiError } from '@/lib/errors'
import { useSession } from '@/stores/session'

export const securityKeys = {
  sessions: ['sessions'] as const,
  factor: ['second-factor'] as const,
  export: ['export'] as const,
}

/** An export that is being made is asked about so often. */
const EXPORT_POLL = 2000

/** Where whoever is signed in is signed in, this browser first. */
export function useSessions() {
  return useQuery({
    queryKey: securityKeys.sessions,
    queryFn: ({ signal }) => api.listSessions(signal),
    select: ({ items }) =>
      [...items].sort(
        (one, other) =>
          Number(other.current) - Number(one.current) ||
          other.refreshed_at.localeCompare(one.refreshed_at),
      ),
  })
}

export function useSessionMutations() {
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: securityKeys.sessions })
  return {
    end: useMutation({ mutationFn: api.endSession, onSuccess }),
    endOthers: useMutation({ mutationFn: api.endOtherSessions, onSuccess }),
  }
}

/** Whether there is a second factor, and whether there must be one. */
export function useSecondFactor() {
  return useQuery({
    queryKey: securityKeys.factor,
    queryFn: ({ signal }) => api.getSecondFactor(signal),
  })
}

export function useSecondFactorMutations() {
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: securityKeys.factor })
  return {
    begin: useMutation({ mutationFn: api.beginSecondFactor }),
    confirm: useMutation({ mutationFn: api.confirmSecondFactor, onSuccess }),
    remove: useMutation({ mutationFn: api.removeSecondFactor, onSuccess }),
    makeCodes: useMutation({ mutationFn: api.makeRecoveryCodes, onSuccess }),
  }
}

/** What changes by what somebody signs in. */
export function useCredentialMutations() {
  const session = useSession()
  const queries = useQueryClient()
  return {
    changePassword: useMutation({
      mutationFn: api.changePassword,
      onSuccess(signIn) {
        session.keep(signIn)
        return queries.invalidateQueries({ queryKey: securityKeys.sessions })
      },
    }),
    changeEmail: useMutation({ mutationFn: api.changeEmail }),
    confirmEmail: useMutation({
      mutationFn: api.confirmEmail,
      onSuccess: (user) => session.update(user),
    }),
  }
}

/** The newest export of one's data, null without any; followed while it is being made. */
export function useDataExport() {
  return useQuery({
    queryKey: securityKeys.export,
    queryFn: async ({ signal }) => {
      try {
        return await api.getExport(signal)
      } catch (error) {
        if (isApiError(error) && error.kind === 'missing') return null
        throw error
      }
    },
    refetchInterval: ({ state }) => (isUnderWay(state.data) ? EXPORT_POLL : false),
  })
}

export const isUnderWay = (job: api.Job | null | undefined): boolean =>
  job?.status === 'queued' || job?.status === 'running'

export function useDataMutations() {
  const queries = useQueryClient()
  return {
    requestExport: useMutation({
      mutationFn: api.requestExport,
      onSuccess: (job) => queries.setQueryData(securityKeys.export, job),
    }),
    getFile: useMutation({ mutationFn: api.getJobFile }),
    close: useMutation({ mutationFn: api.closeAccount }),
  }
}
