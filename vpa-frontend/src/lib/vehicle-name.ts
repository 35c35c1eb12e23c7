interface Named {
  label: string
  make: string
  model: string
}

/** What a driver calls a vehicle: by its own name, its model or its make; else by its kind. */
export const vehicleName = ({ label, make, model }: Named, kind: string): string =>
  label || model || make || kind
