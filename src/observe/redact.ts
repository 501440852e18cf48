/**
 * Takes secrets out of what is about to be logged. It errs towards hiding: a name that might hold a
 * secret is hidden whatever it holds. Never throws, and stops at a depth, so that no request can make
 * logging expensive.
 */
export const HIDDEN = '[hidden]';

const DEPTH = 8;
const LONGEST = 8192;

/** Compared without case, `-` and `_`. */
const SECRET_NAMES = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'cookies',
  'setcookie',
  'dpop',
  'code',
  'otp',
  'onetimecode',
  'usercode',
  'devicecode',
  'codeverifier',
  'assertion',
  'ticket',
  'jti',
  'sid',
  'apikey',
  'xapikey',
  'privatekey',
  'encryptionkey',
  'passwordhash',
  'keyhash',
  'secrethash',
  'binding',
  'idtokenhint',
  'pwd',
  'pass',
]);
const SECRET_ENDINGS = ['password', 'secret', 'token', 'cookie', 'assertion'];

export function isSecretName(name: string): boolean {
  const folded = name.toLowerCase().replaceAll(/[-_]/g, '');
  return SECRET_NAMES.has(folded) || SECRET_ENDINGS.some((ending) => folded.endsWith(ending));
}

const NAMES_IN_TEXT =
  '(?:[\\w-]*(?:password|secret|token|assertion)|code|otp|state|id_token_hint|code_verifier|user_code|device_code|api[_-]?key)';

/**
 * A form that may run on over many characters begins only where its run of them begins (the look-behind):
 * one that may begin anywhere goes over the rest of the run from every beginning.
 */
const FORMS: readonly [RegExp, string][] = [
  // header.payload.signature, and what is encrypted alike
  [/(?<![\w-])(?=[\w-]+\.[\w-]*\.)[\w-]*?eyJ[\w-]{8,}\.[\w-]*\.[\w.-]*/g, HIDDEN],
  [/\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/\b(?:rt|rst|avk|vt|pt)_[\w-]{16,}/g, HIDDEN],
  // a personal access token of a Laravel server
  [/\b\d{1,19}\|\w{20,}/g, HIDDEN],
  // name=value in a query or a form
  [new RegExp(`([?&;\\s]|^)(${NAMES_IN_TEXT})=[^&\\s"'#]+`, 'gi'), `$1$2=${HIDDEN}`],
  // "name":"value" in quoted JSON
  [new RegExp(`(\\\\?"${NAMES_IN_TEXT}\\\\?"\\s*:\\s*)\\\\?"[^"]*"`, 'gi'), `$1"${HIDDEN}"`],
  // user:password@ in a URL
  [/(?<![\w+.-])([\w+.-]+:\/\/)[^\s/@]+@/g, `$1${HIDDEN}@`],
];

/** Text of these characters alone matches none of the forms: each form needs another one. */
const PLAIN = /^[a-z0-9-]{0,100}$/i;

/** The text without what looks like a secret; cut after 8 KiB. */
export function redactText(text: string): string {
  if (PLAIN.test(text)) return text;
  let clean = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  for (const [form, instead] of FORMS) clean = clean.replace(form, instead);
  return clean;
}

/** A copy without secrets. Errors become { type, message, stack, code, cause }. */
export function redact(value: unknown, depth = DEPTH): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? undefined : value;
  if (value instanceof Date) return value;
  if (depth === 0) return '[deep]';
  if (value instanceof Error) return redactError(value, depth);
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) ? HIDDEN : redact(member, depth - 1),
    ]),
  );
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  // An error's own members (a driver's query, a request) may hold anything: only the code is taken along.
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ''),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth - 1) }),
  };
}
