import { useTranslation } from 'i18next-vue'
import { ref } from 'vue'
import { useToast } from '@/composables/useToast'
import { loadWords } from '@/i18n'
import type { Point } from './search'

/** Where the reader is, asked of the browser only when they want it. */
export function useLocating() {
  const { t } = useTranslation()
  const toast = useToast()
  const isLocating = ref(false)

  async function locate(): Promise<Point | undefined> {
    isLocating.value = true
    try {
      const { coords } = await new Promise<GeolocationPosition>((resolve, reject) => {
        navigator.geolocation.getCurrentPosition(resolve, reject, {
          timeout: 10_000,
          maximumAge: 60_000,
        })
      })
      return { lat: coords.latitude, lng: coords.longitude }
    } catch (error) {
      const code = (error as Partial<GeolocationPositionError>).code
      // 1: not allowed; the constants are on an object that some browsers do not have.
      await loadWords('locate')
      void toast.failed(t(code === 1 ? 'locate:denied' : 'locate:failed'))
      return undefined
    } finally {
      isLocating.value = false
    }
  }
  return { isLocating, locate }
}
