import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { getInstallation } from '@/api/installation'

/** What this installation is: its name, currency, zone and ways to pay. */
export function useInstallation() {
  const { data } = useQuery({
    queryKey: ['installation'],
    queryFn: getInstallation,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return {
    installation: data,
    locale: computed(() => data.value?.locale ?? navigator.language),
    timezone: computed(
      () => data.value?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    ),
  }
}
