/**
 * What both social endpoints share: five required fields, a configured provider, and an upstream ID token
 * that is good and, where it carries an address, carries the one that the body names.
 */
import { z } from 'zod';
import { type FieldIssue, foldName, Refused } from '../../contract/dialect.ts';
import type { UpstreamIdentity, Use } from '../../contract/use.ts';
import { anyAddress, idToken, required } from '../fields.ts';
import type { VisitNoteSettings } from '../settings.ts';

const INVALID_PROVIDER = 'The selected provider is invalid.';

const PROVIDERS = ['google', 'apple'] as const;
type Provider = (typeof PROVIDERS)[number];

const isProvider = (name: string): name is Provider => PROVIDERS.some((provider) => provider === name);

export const SocialBody = z.object({
  provider: required('provider', 50, (name) => (isProvider(name) ? undefined : INVALID_PROVIDER)).pipe(
    z.enum(PROVIDERS),
  ),
  id_token: idToken,
  email: anyAddress,
  first_name: required('first_name', 100),
  last_name: required('last_name', 100),
});

export type SocialPerson = z.output<typeof SocialBody>;

/** A known provider that is switched off counts as unknown. */
export function judgeProvider(context: {
  raw: Record<string, unknown>;
  issues: readonly FieldIssue[];
  use: Use;
  settings: VisitNoteSettings;
}): FieldIssue[] {
  if (context.issues.some((issue) => issue.path[0] === 'provider')) return [];
  const name = String(context.raw.provider).trim();
  if (!isProvider(name)) return [];
  const on = context.use.upstreams.has(name, context.settings.social[name].audiences);
  return on ? [] : [{ path: ['provider'], message: INVALID_PROVIDER }];
}

export async function verifiedIdentity(
  body: SocialPerson,
  settings: VisitNoteSettings,
  use: Use,
): Promise<UpstreamIdentity> {
  const identity = await use.upstreams.verifyIdToken({
    provider: body.provider,
    idToken: body.id_token,
    audiences: settings.social[body.provider].audiences,
    maxAge: settings.social.maxAge,
  });
  if (identity.email !== undefined && foldName(identity.email) !== foldName(body.email)) {
    throw new Refused('id-token-refused', { detail: 'the address of the body is not the one of the token' });
  }
  return identity;
}

/** One use per token: of parallel uses exactly one goes on. Only where nothing else can refuse any more. */
export async function spend(identity: UpstreamIdentity): Promise<void> {
  if (!(await identity.use()))
    throw new Refused('id-token-refused', { detail: 'the ID token was used before' });
}
