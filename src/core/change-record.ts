/** A named record that several processes change at once, without losing a change. */

/** Where it is kept as JSON text. */
export interface NamedTexts {
  get(name: string): Promise<string | undefined>;
  /** True when it was absent and is now set: for exactly one caller. */
  setOnce(name: string, value: string): Promise<boolean>;
  /** False when the value is not `before` any more. */
  replace(name: string, before: string, value: string): Promise<boolean>;
}

/**
 * Resolves with the record as it is now. `change` may be asked again when another process comes between; undefined
 * leaves everything as it is.
 */
export function changeRecord<Stored>(
  texts: NamedTexts,
  name: string,
  change: (present: Stored | undefined) => Stored,
): Promise<Stored>;
export function changeRecord<Stored>(
  texts: NamedTexts,
  name: string,
  change: (present: Stored | undefined) => Stored | undefined,
): Promise<Stored | undefined>;
export async function changeRecord<Stored>(
  texts: NamedTexts,
  name: string,
  change: (present: Stored | undefined) => Stored | undefined,
): Promise<Stored | undefined> {
  for (;;) {
    const before = await texts.get(name);
    const present: Stored | undefined = before === undefined ? undefined : JSON.parse(before);
    const changed = change(present);
    if (changed === undefined) return present;
    const text = JSON.stringify(changed);
    const isStored =
      before === undefined ? await texts.setOnce(name, text) : await texts.replace(name, before, text);
    if (isStored) return changed;
  }
}
