import type { TypedSchema } from 'vee-validate'
import * as z from 'zod/mini'

/** A zod/mini schema as vee-validate reads one. */
export function typedSchema<S extends z.ZodMiniType>(
  schema: S,
): TypedSchema<z.input<S> & object, z.output<S> & object> {
  return {
    __type: 'VVTypedSchema',
    async parse(values) {
      const result = await z.safeParseAsync(schema, values)
      if (result.success) return { value: result.data as z.output<S> & object, errors: [] }
      const errors = new Map<string, string[]>()
      for (const { path, message } of result.error.issues) {
        const name = path.join('.')
        errors.set(name, [...(errors.get(name) ?? []), message])
      }
      return { errors: [...errors].map(([path, messages]) => ({ path, errors: messages })) }
    },
  }
}
