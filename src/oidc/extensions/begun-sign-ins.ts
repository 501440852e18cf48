/**
 * What a browser and the store remember of the sign-ins that were begun.
 *
 * In the browser: one cookie for each, at most four; the oldest goes. The provider sets two, under the paths
 * of the interaction, where no other reply sees them or can drop them: they pile up until the browser's
 * limit drops the session's. The id of the interaction is in the cookie's name and in addresses; the value
 * proves that the sign-in was begun in this browser.
 *
 * In the store: a finished one, for as long as it might have taken. Back, a reload or a second press then lead
 * to the app, in the same browser (interactions/finished.ts). The provider forgets it at once.
 *
 * Replaces in oidc-provider 9.13.3:
 * - Interaction.prototype.destroy f34ab4777134
 */
import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { readCookie } from '../../core/read-cookie.ts';
import type { StepContext } from '../provider/context.ts';
import { override } from './models.ts';

type Cookies = StepContext['cookies'];

const MOST = 4;

export function rememberSignIns(deps: {
  provider: Provider;
  secrets: Secrets;
  clock: Clock;
  issuer: string;
}): void {
  const { provider } = deps;
  const inherited: object = Object.getPrototypeOf(provider.context);
  const kept = new WeakSet<Cookies>();
  Object.defineProperty(provider.context, 'cookies', {
    get(this: StepContext): Cookies {
      const jar: Cookies = Reflect.get(inherited, 'cookies', this);
      if (!kept.has(jar)) keepOneEach(this, jar, deps);
      kept.add(jar);
      return jar;
    },
  });
  override(provider.Interaction.prototype, 'destroy', async (interaction, original) => {
    if (interaction.exp <= Date.now() / 1000) return original();
    const { session, params, result } = interaction;
    const finished: typeof interaction = Object.create(Object.getPrototypeOf(interaction));
    Object.assign(finished, interaction, {
      over: true,
      // What was typed on the way is not needed any more, and who is signed in is asked of the browser's session.
      ...{ lastSubmission: undefined, result: { ...result, kept: undefined } },
      params: { ...params, login_hint: undefined, id_token_hint: undefined },
      session: session && { accountId: session.accountId },
      // The code comes from the grant once more, not from the pushed request, which is good once.
      parJti: undefined,
    });
    await finished.persist();
  });
}

/** The provider's two names, for the interaction of an address, are one cookie for the whole site. */
function keepOneEach(
  ctx: StepContext,
  jar: Cookies,
  { provider, secrets, clock, issuer }: Parameters<typeof rememberSignIns>[0],
): void {
  const [started, resumed] = [provider.cookieName('interaction'), provider.cookieName('resume')];
  const get = jar.get.bind(jar);
  const set = jar.set.bind(jar);
  const prefix = prefixOf(issuer);
  jar.get = (name, options) => {
    if (name !== started && name !== resumed) return get(name, options);
    return begunSignIn(ctx.req, { secrets, issuer });
  };
  jar.set = (name, value, options) => {
    // One cookie does for both names, and stays when its sign-in is finished: Back needs it.
    if (name === resumed) return jar;
    if (name !== started || typeof value !== 'string') return set(name, value, options);
    const { maxAge, ...rest } = { ...options, path: '/', signed: false };
    const begun = [...ctx.get('Cookie').matchAll(new RegExp(`(?:^|; ?)(${prefix}[\\w-]+)=(\\d+)\\.`, 'g'))];
    const newest = begun.sort(([, , one], [, , other]) => Number(other) - Number(one));
    for (const [, oldest = ''] of newest.slice(MOST - 1)) set(oldest, null, rest);
    const cookie = begunCookie(value, { secrets, clock, issuer });
    return set(cookie.name, cookie.value, { ...rest, ...(maxAge && { maxAge }) });
  };
}

const prefixOf = (issuer: string) => `${issuer.startsWith('https:') ? '__Host-' : ''}portico_sign_in_`;
const signed = (uid: string, at: string) => `${uid}.${at}`;

/** The id of the sign-in in the address; undefined unless it was begun in this browser. */
export function begunSignIn(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  { secrets, issuer }: { secrets: Secrets; issuer: string },
): string | undefined {
  const [, , uid = ''] = url.split(/[/?]/, 3);
  if (!/^[\w-]+$/.test(uid)) return undefined;
  const cookie = readCookie(headers.cookie, prefixOf(issuer) + uid) ?? '';
  const [, at = '', proof = ''] = /^(\d+)\.([\w-]+)$/.exec(cookie) ?? [];
  return secrets.verify('sign-in', signed(uid, at), proof) ? uid : undefined;
}

/** Proves that the sign-in was begun in the browser that has it. */
export function begunCookie(
  uid: string,
  { secrets, clock, issuer }: { secrets: Secrets; clock: Clock; issuer: string },
): { name: string; value: string } {
  const at = String(clock.now().getTime());
  return { name: prefixOf(issuer) + uid, value: `${at}.${secrets.sign('sign-in', signed(uid, at))}` };
}
