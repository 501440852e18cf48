/**
 * Sign-in by a Google or Apple ID token, and what registration by one shares with it: five required fields, a
 * configured provider, and an ID token that is good and carries no other address than the body names.
 */
import { z } from 'zod';
import { type FieldIssue, foldName, Refused } from '../contract/dialect.ts';
import type { JudgeContext } from '../contract/endpoint.ts';
import { ok } from '../contract/reply.ts';
import type { UpstreamIdentity, Use } from '../contract/use.ts';
import { admits } from './admits.ts';
import { anyAddress, idToken, required } from './fields.ts';
import { authTier } from './limits.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint, type VisitNoteSettings } from './settings.ts';

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
export async function judgeProvider(context: JudgeContext<VisitNoteSettings>): Promise<FieldIssue[]> {
  const { raw, issues, use, settings } = context;
  if (issues.some((issue) => issue.path[0] === 'provider')) return [];
  const name = String(raw.provider).trim();
  if (!isProvider(name)) return [];
  const on = use.upstreams.has(name, settings.social[name].audiences);
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

/** Finds the account by (provider, sub) and by nothing else; never creates, never links. */
export const signInWithSocial = endpoint({
  method: 'POST',
  path: '/sign-in/social',
  summary: 'Sign in with a Google or Apple ID token',
  caller: 'anyone',
  counts: 'address',
  begins: 'sign-in',
  accepts: { body: SocialBody },
  alsoJudge: judgeProvider,
  limits: authTier,
  replies: { 200: SignedInReply, 401: Failure, 404: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const identity = await verifiedIdentity(body, settings, use);
    const { provider, id_token: idToken, email, first_name: given_name, last_name: family_name } = body;
    const presented = { provider, idToken, email, names: { given_name, family_name } };
    const account = await use.upstreams.findAccount(identity, presented);
    if (account === undefined) throw new Refused('account-not-found');
    if (!admits(account, settings))
      throw new Refused('id-token-refused', { detail: 'the account is not let in' });
    await spend(identity);
    return ok(signedInReply(await use.signIn.as(account, 'fed')));
  },
});
