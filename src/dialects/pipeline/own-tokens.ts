/**
 * Tokens of this server's own in a request that would be passed on to a legacy system: they never leave. A request is
 * looked through as text, wherever a vendor's clients may put a token and whatever else they send.
 */
import type { RandomForm } from '../../core/crypto.ts';
import { isKnownApiKey } from '../../identity/accounts/api-keys.ts';
import { RESET, readLinkToken } from '../../identity/codes/link-token.ts';
import type { Dialect } from '../contract/dialect.ts';
import type { DialectServices } from '../runtime/deps.ts';

/** Texts of one request that are looked up. No vendor's client sends so many. */
const MOST = 16;

/** What a text of a form may be, and how that is found out. */
interface Kind {
  readonly form: RegExp;
  isOwn(services: DialectServices, text: string): Promise<boolean>;
}

const isToken: Kind['isOwn'] = ({ oidc }, text) => oidc.grants.isMinted(text);
const isKey: Kind['isOwn'] = ({ identity }, text) => isKnownApiKey(identity, text);
const isLinkToken: Kind['isOwn'] = async ({ identity }, token) =>
  (await readLinkToken(identity, { token, purpose: RESET })) !== undefined;

/** Not as a part of something longer, such as the signature of a JWT. */
const alone = (source: string) => new RegExp(`(?<![\\w.-])${source}(?![\\w.-])`, 'g');

const EVERYWHERE: readonly Kind[] = [
  { form: alone('[\\w-]{8,}\\.[\\w-]{8,}\\.[\\w-]*'), isOwn: isToken },
  // Those of the provider, for other clients than the dialect's.
  { form: alone('[\\w-]{43}'), isOwn: isToken },
  { form: alone('rst_[\\w-]{43}'), isOwn: isLinkToken },
];

function kind(form: 'jwt' | RandomForm | undefined, isOwn: Kind['isOwn']): Kind[] {
  if (form === undefined || form === 'jwt') return [];
  const { prefix = '', alphabet, length } = form;
  const source = `${RegExp.escape(prefix)}[${RegExp.escape(alphabet)}]{${length}}`;
  return [{ form: alone(source), isOwn }];
}

function kindsOf({ tokens, apiKeyForm }: Dialect): Kind[] {
  return [
    ...EVERYWHERE,
    ...kind(tokens.access, isToken),
    ...kind(tokens.refresh?.form, isToken),
    ...kind(apiKeyForm?.key, isKey),
  ];
}

/** What a client escaped, as the server behind reads it. */
function unescaped(text: string): string {
  const byCode = (_: string, code: string) => String.fromCharCode(Number.parseInt(code, 16));
  return text.replace(/\\u00([0-9a-f]{2})/gi, byCode).replace(/%([0-9a-f]{2})/gi, byCode);
}

/** Without files in Base64, escaped or not, which would be taken for many tokens. No token is so long without a dot. */
function withoutFiles(text: string): string {
  return text.replace(/[\w.+/%\\-]{256,}/g, (run) => (/[._-]/.test(run) ? run : ''));
}

/** Whether one of the texts holds a token, an API key or a link token that was made here. */
export async function holdsOwnToken(
  services: DialectServices,
  dialect: Dialect,
  texts: readonly string[],
): Promise<boolean> {
  const sent = texts.join('\n');
  const all = withoutFiles(`${sent}\n${unescaped(sent)}`);
  const asked = new Map<string, () => Promise<boolean>>();
  for (const { form, isOwn } of kindsOf(dialect))
    for (const text of all.match(form) ?? []) asked.set(`${isOwn.name} ${text}`, () => isOwn(services, text));
  if (asked.size > MOST) return true;
  return (await Promise.all([...asked.values()].map((ask) => ask()))).includes(true);
}
