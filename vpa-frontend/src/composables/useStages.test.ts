import { enableAutoUnmount, mount } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { defineComponent, h, type ShallowRef } from 'vue'
import { settled } from '@/test/page'
import { endOpening, useStages } from './useStages'

enableAutoUnmount(afterEach)

function show(last: number) {
  const seen: number[] = []
  let stage!: Readonly<ShallowRef<number>>
  const part = mount(
    defineComponent(() => {
      stage = useStages(last)
      return () => {
        seen.push(stage.value)
        return h('p', stage.value)
      }
    }),
  )
  return { part, seen, stage: () => stage.value }
}

it('draws the parts of the page that opens the app one by one', async () => {
  const { seen, stage } = show(3)
  expect(seen).toEqual([0])
  await settled(() => stage() === 3)
  expect(seen).toEqual([0, 1, 2, 3])
})

it('stops with its page', async () => {
  const { part, stage } = show(3)
  part.unmount()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(stage()).toBeLessThanOrEqual(1)
})

it('draws a later page whole at once', () => {
  endOpening()
  expect(show(3).seen).toEqual([3])
})
