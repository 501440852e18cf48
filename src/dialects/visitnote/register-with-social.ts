/** POST /register/social: a new account for an upstream identity, or a link to the one that provably is the same person's. */

import { foldName, Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { ok } from '../contract/reply.ts';
import type { NewAccount, UpstreamIdentity, Use } from '../contract/use.ts';
import { admits } from './admits.ts';
import { isUsable } from './fields.ts';
import { authTier } from './limits.ts';
import { freshMembers } from './register.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint, type VisitNoteSettings } from './settings.ts';
import { judgeProvider, SocialBody, type SocialPerson, spend, verifiedIdentity } from './social.ts';

/** The account needs an address, and takes it from the token alone: the body's proves nothing. */
function addressOf(identity: UpstreamIdentity): string {
  const address = foldName(identity.email ?? '');
  if (!isUsable(address))
    throw new Refused('id-token-refused', { detail: 'the ID token carries no usable address' });
  return address;
}

/**
 * A refusal because the account is there. Another use of the same ID token may have made it just now: then
 * this use is one too many, and says so.
 */
async function alreadyThere(body: SocialPerson, settings: VisitNoteSettings, use: Use): Promise<never> {
  await verifiedIdentity(body, settings, use);
  throw new Refused('account-exists');
}

/** Whether it provably is the same person: an authoritative, verified address on both sides, and let in. */
function mayLink(account: AccountView, identity: UpstreamIdentity, settings: VisitNoteSettings): boolean {
  const same = identity.emailVerified && identity.authoritative && account.emailVerified;
  return same && admits(account, settings);
}

/** Another ID token of the same person may have been faster: then nothing is left of the new account. */
async function create(account: NewAccount, identity: UpstreamIdentity, use: Use): Promise<AccountView> {
  const created = await use.accounts.register(account);
  try {
    await use.upstreams.link(created.id, identity);
    return created;
  } catch (refusal) {
    await use.accounts.delete(created.id);
    throw refusal;
  }
}

/** Spends the ID token for `work`; a token whose work is refused after all was not used. */
async function spending(identity: UpstreamIdentity, work: () => Promise<AccountView>): Promise<AccountView> {
  await spend(identity);
  try {
    return await work();
  } catch (refusal) {
    await identity.takeBack();
    throw refusal;
  }
}

export const registerWithSocial = endpoint({
  method: 'POST',
  path: '/register/social',
  summary: 'Register with a Google or Apple ID token',
  caller: 'anyone',
  counts: 'address',
  accepts: { body: SocialBody },
  alsoJudge: judgeProvider,
  limits: authTier,
  replies: { 200: SignedInReply, 401: Failure, 409: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const identity = await verifiedIdentity(body, settings, use);
    const email = addressOf(identity);
    if ((await use.upstreams.findAccount(identity)) !== undefined) return alreadyThere(body, settings, use);
    const existing = await use.accounts.byEmail(email);
    if (existing !== undefined && !mayLink(existing, identity, settings))
      return alreadyThere(body, settings, use);
    const account = await spending(identity, async () => {
      if (existing !== undefined) {
        await use.upstreams.link(existing.id, identity);
        return existing;
      }
      const { emailVerified } = identity;
      return create({ email, emailVerified, ...freshMembers(body, settings, use) }, identity, use);
    });
    return ok(signedInReply(await use.signIn.as(account, 'fed')));
  },
});
