import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { bringReader, type ReadQr } from './read-qr'

export type CameraState = 'off' | 'starting' | 'on' | 'denied' | 'missing' | 'failed'

interface LightTrack extends MediaStreamTrack {
  getCapabilities: () => MediaTrackCapabilities & { torch?: boolean }
}

/** Frames are made this wide: enough for a code at arm's length, and quick to read. */
const WIDTH = 720
const PAUSE_MS = 120

/** The camera of the device, which looks for a QR code until it is told to stop. */
export function useCamera(
  video: Readonly<Ref<HTMLVideoElement | null>>,
  onRead: (text: string) => void,
) {
  const state = ref<CameraState>('off')
  /** Null where the camera has no light. */
  const light = ref<boolean | null>(null)
  const stream = shallowRef<MediaStream>()
  const canvas = document.createElement('canvas')
  let timer: ReturnType<typeof setTimeout> | undefined
  let isGone = false

  async function start(): Promise<void> {
    if (state.value === 'starting' || state.value === 'on') return
    // A page that came without encryption has none of this at all, and some browsers neither.
    const devices = navigator.mediaDevices as MediaDevices | undefined
    if (!devices?.getUserMedia) {
      state.value = 'missing'
      return
    }
    state.value = 'starting'
    try {
      const [found, read] = await Promise.all([
        devices.getUserMedia({
          audio: false,
          video: { facingMode: 'environment', width: { ideal: 1280 } },
        }),
        bringReader(),
      ])
      if (isGone) {
        release(found)
        return
      }
      stream.value = found
      await show(found)
      light.value = trackOf(found)?.getCapabilities?.().torch ? false : null
      state.value = 'on'
      look(read)
    } catch (error) {
      stop()
      state.value = stateOf(error)
    }
  }

  async function show(found: MediaStream): Promise<void> {
    if (!video.value) return
    video.value.srcObject = found
    await video.value.play()
  }

  function look(read: ReadQr): void {
    timer = setTimeout(async () => {
      if (state.value !== 'on') return
      // Nobody holds anything up to a page that is not looked at.
      const text = document.hidden ? undefined : await readFrame(read)
      if (text && stream.value) onRead(text)
      look(read)
    }, PAUSE_MS)
  }

  async function readFrame(read: ReadQr): Promise<string | undefined> {
    const { videoWidth = 0, videoHeight = 0 } = video.value ?? {}
    if (!video.value || !videoWidth) return undefined
    canvas.width = Math.min(WIDTH, videoWidth)
    canvas.height = Math.round((videoHeight * canvas.width) / videoWidth)
    canvas
      .getContext('2d', { willReadFrequently: true })
      ?.drawImage(video.value, 0, 0, canvas.width, canvas.height)
    return await read(canvas)
  }

  function stop(): void {
    clearTimeout(timer)
    if (stream.value) release(stream.value)
    stream.value = undefined
    light.value = null
    state.value = 'off'
  }

  async function turnLight(): Promise<void> {
    const track = stream.value && trackOf(stream.value)
    if (!track || light.value === null) return
    const wanted = !light.value
    try {
      await track.applyConstraints({ advanced: [{ torch: wanted } as MediaTrackConstraintSet] })
      light.value = wanted
    } catch {
      light.value = null
    }
  }

  // Where the picture is shown may come after the picture.
  watch(video, () => {
    if (stream.value) void show(stream.value).catch(() => undefined)
  })
  onScopeDispose(() => {
    isGone = true
    stop()
  })

  return { state, light, start, stop, turnLight }
}

const trackOf = (stream: MediaStream) => stream.getVideoTracks()[0] as LightTrack | undefined

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function stateOf(error: unknown): CameraState {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'missing' : 'failed'
}

/** Whether the camera was allowed before, so that it may start by itself. */
export async function isCameraAllowed(): Promise<boolean> {
  try {
    const { state } = await navigator.permissions.query({ name: 'camera' as PermissionName })
    return state === 'granted'
  } catch {
    return false
  }
}
