export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

/** The texts of a list; none when the value is no list. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
