/** POST /register/social: a new account for an upstream identity, or a link to the one that provably is the same person's. */
import { type AccountView, endpoint, ok, Refused, type UpstreamIdentity, type Use } from '../dialect.ts';
import { admits } from './admits.ts';
import { isAddress } from './fields.ts';
import { authTier } from './limits.ts';
import { freshMembers } from './new-account.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import type { VisitNoteSettings } from './settings.ts';
import {
  foldAddress,
  judgeProvider,
  SocialBody,
  type SocialPerson,
  spend,
  verifiedIdentity,
} from './social.ts';

/** The account needs an address, and takes it from the token alone: the body's proves nothing. */
function addressOf(identity: UpstreamIdentity): string {
  const address = foldAddress(identity.email ?? '');
  if (!isAddress(address))
    throw new Refused('id-token-refused', { detail: 'the ID token carries no usable address' });
  return address;
}

/** Only an authoritative, verified address on both sides joins an identity to an account that exists. */
async function link(
  account: AccountView,
  identity: UpstreamIdentity,
  settings: VisitNoteSettings,
  use: Use,
): Promise<AccountView> {
  const same = identity.emailVerified && identity.authoritative && account.emailVerified;
  if (!same || !admits(account, settings)) throw new Refused('account-exists');
  await spend(identity);
  await use.linkIdentity(account.id, identity);
  return account;
}

export const registerWithSocial = endpoint({
  method: 'POST',
  path: '/register/social',
  summary: 'Register with a Google or Apple ID token',
  caller: 'anyone',
  counts: 'address',
  accepts: { body: SocialBody },
  async alsoJudge(facts) {
    return judgeProvider(facts);
  },
  limits: authTier,
  replies: { 200: SignedInReply, 401: Failure, 409: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }: { body: SocialPerson; settings: VisitNoteSettings }, use) {
    const identity = await verifiedIdentity(body, settings, use);
    const email = addressOf(identity);
    if ((await use.accountByIdentity(identity)) !== undefined) throw new Refused('account-exists');
    const existing = await use.accountByEmail(email);
    if (existing !== undefined) {
      return ok(signedInReply(await use.signIn(await link(existing, identity, settings, use), 'fed')));
    }
    await spend(identity);
    const account = await use.register({
      email,
      emailVerified: identity.emailVerified,
      ...freshMembers({ firstName: body.first_name, lastName: body.last_name, settings, now: use.now() }),
    });
    await use.linkIdentity(account.id, identity);
    return ok(signedInReply(await use.signIn(account, 'fed')));
  },
});
