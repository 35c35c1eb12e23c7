import { useTranslation } from 'i18next-vue'
import { useForm, type TypedSchema } from 'vee-validate'
import { nextTick, onScopeDispose, ref, shallowRef, useTemplateRef, watch } from 'vue'
import type * as z from 'zod/mini'
import { isApiError } from '@/lib/errors'
import { typedSchema } from '@/lib/typed-schema'
import { useToast } from './useToast'

interface Options<Schema extends z.ZodMiniType> {
  schema: Schema
  initial: Partial<z.input<Schema>>
  /** Refusals that are about one field, by the problem's slug: `{ 'plate-taken': 'plate' }`. */
  fieldOf?: Record<string, keyof z.input<Schema> & string>
  /** Sends the values; what it throws is shown at the field, as `refusal`, or in a toast. */
  submit: (values: z.output<Schema>) => Promise<void>
}

/** The one toast of refused forms: the next try replaces it, and success takes it away. */
const SUMMARY = 'refused-form'

/**
 * A form that validates on leaving a field and then on each key, keeps what was typed, puts the API's
 * answers at their fields, and moves the focus to the first one that needs a change.
 *
 * Give the `<form>` `ref="form"` and `@submit="onSubmit"`, each control `v-bind="field('name')"`, and show
 * `refusal` in a notice.
 */
export function useApiForm<Schema extends z.ZodMiniType>({
  schema,
  initial,
  fieldOf = {},
  submit,
}: Options<Schema>) {
  type Values = z.input<Schema> & Record<string, unknown>
  type Name = keyof z.input<Schema> & string
  /** A value, or one within a list of values: `increments.0.minutes`. */
  type Path = Name | `${Name}.${number}.${string}`
  const { t } = useTranslation()
  const toast = useToast()
  const form = useTemplateRef<HTMLFormElement>('form')
  const isBusy = ref(false)
  /** A refusal that belongs to no field, for the form to show in its place. */
  const refusal = shallowRef<unknown>()

  /** What the API said of values; it holds until the value is another one. */
  const said = new Map<string, { value: unknown; message: string }>()
  const checked = typedSchema(schema)
  const validationSchema: TypedSchema<Values, Values> = {
    __type: 'VVTypedSchema',
    async parse(current) {
      const result = await checked.parse(current as never)
      const refused = [...said].filter(([name, { value }]) => current[name] === value)
      return {
        value: result.value as never,
        errors: [
          ...result.errors,
          ...refused.map(([path, { message }]) => ({ path, errors: [message] })),
        ],
      }
    },
  }

  const {
    defineField,
    errors,
    handleSubmit,
    setErrors,
    setFieldValue,
    setValues,
    resetForm,
    values,
    meta,
  } = useForm<Values>({ validationSchema, initialValues: initial as never })

  const fields = new Map<string, ReturnType<typeof defineField>>()

  /** Props and listeners of the control for this value. */
  function field(name: Path) {
    let found = fields.get(name)
    if (!found) {
      found = defineField(name as never, (state) => ({
        validateOnBlur: true,
        validateOnChange: false,
        validateOnInput: false,
        validateOnModelUpdate: state.errors.length > 0,
      }))
      fields.set(name, found)
    }
    const [value, attributes] = found
    return {
      ...attributes.value,
      name,
      error: (errors.value as Record<string, string | undefined>)[name],
      modelValue: value.value as never,
      onBlur(event: FocusEvent): void {
        // An error that appears would move the button away from under the pointer that is pressing it.
        if (event.relatedTarget instanceof Element && event.relatedTarget.closest('button, a'))
          return
        attributes.value.onBlur()
      },
      'onUpdate:modelValue': (changed: unknown) => {
        value.value = changed as never
      },
    }
  }

  async function focusFirstError(): Promise<void> {
    await nextTick()
    form.value?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }

  const onValid = handleSubmit(
    async (sent) => {
      isBusy.value = true
      refusal.value = undefined
      try {
        await submit(sent as z.output<Schema>)
        void toast.dismiss(SUMMARY)
      } catch (error) {
        await refuse(error)
      } finally {
        isBusy.value = false
      }
    },
    () => {
      void toast.failed(t('error.summary'), SUMMARY)
      void focusFirstError()
    },
  )

  let isRunning = false
  async function onSubmit(event?: Event): Promise<void> {
    event?.preventDefault()
    if (isRunning) return
    isRunning = true
    // The API is asked anew: what it refused may be possible by now.
    said.clear()
    try {
      await onValid()
    } finally {
      isRunning = false
    }
  }

  async function refuse(error: unknown): Promise<void> {
    if (!isApiError(error) || error.kind === 'unknown') {
      void toast.unexpected(error)
      return
    }
    const about = fieldOf[error.slug]
    const messages = about ? { [about]: [error.message] } : error.fields
    const known = Object.entries(messages).flatMap(([name, [message]]) =>
      name in values && message ? [{ name, message }] : [],
    )
    if (known.length === 0) {
      refusal.value = error
      return
    }
    for (const { name, message } of known) say(name as Name, message)
    void toast.failed(t('error.summary'), SUMMARY)
    await focusFirstError()
  }

  /** Puts a message at a field until its value is another one, or takes it away. */
  function say(name: Name, message: string | undefined): void {
    if (message) said.set(name, { value: values[name], message })
    else said.delete(name)
    setErrors({ [name]: message } as never)
  }

  // What stays until it is closed would lie over the button when everything is mended.
  watch(
    () => Object.values(errors.value).some(Boolean),
    (hasErrors) => {
      if (!hasErrors) void toast.dismiss(SUMMARY)
    },
  )
  onScopeDispose(() => void toast.dismiss(SUMMARY))

  return {
    form,
    field,
    onSubmit,
    isBusy,
    refusal,
    errors,
    values,
    meta,
    say,
    setFieldValue,
    setValues,
    resetForm,
  }
}
