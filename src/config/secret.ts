/** Which values of the configuration are secrets, and what is shown in their place. */
import { legacySection } from './legacy-section.ts';
import { configSchema } from './schema.ts';
import { requestInfoOf, schemaAt } from './shape.ts';

const HIDDEN = '(hidden)';

/** Names of keys that no schema of ours marks: dialects'. */
const SECRET_NAME = /(?:secret|password|private_?key|credential)s?$/i;

/** A value as it may be shown in a message: at most 100 characters, never a secret. */
export function shownValue(value: unknown, path: readonly string[]): string {
  const shown = JSON.stringify(withoutSecrets(value, path)) ?? String(value);
  return shown.length > 100 ? `${shown.slice(0, 99)}…` : shown;
}

/** A copy in which every secret is replaced. `path`: where in the configuration the value stands. */
export function withoutSecrets(value: unknown, path: readonly string[] = []): unknown {
  if (value === undefined || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, [...path, String(index)]));
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, withoutSecrets(member, [...path, name])]),
    );
  }
  const secrecy = secrecyOf(path);
  if (secrecy === 'value') return HIDDEN;
  return typeof value === 'string' ? withoutUser(value, secrecy === 'url') : value;
}

function secrecyOf(path: readonly string[]): 'value' | 'url' | undefined {
  if (path.some((step) => SECRET_NAME.test(step))) return 'value';
  const [section, , table] = path;
  const isLegacy = section === 'dialects' && table === 'legacy';
  const [root, below] = isLegacy ? [legacySection, path.slice(3)] : [configSchema, path];
  const marks = below.map((_, index) => {
    const schema = schemaAt(root, below.slice(0, index + 1));
    return schema && requestInfoOf(schema)?.secret;
  });
  return marks.find((mark) => mark !== undefined);
}

/**
 * Connection strings carry a user and a password. Where one is due, everything before the last @ is
 * hidden: the text may be too broken to be a URL.
 */
function withoutUser(text: string, isConnection: boolean): string {
  const scheme = /^[a-z][a-z\d+.-]*:\/\//i.exec(text)?.[0];
  const rest = text.slice(scheme?.length ?? 0);
  if (!rest.includes('@') || (scheme === undefined && !isConnection)) return text;
  return `${scheme ?? ''}${HIDDEN}${rest.slice(rest.lastIndexOf('@'))}`;
}
