/**
 * Passkeys (W3C WebAuthn level 3) on an account: what a browser is asked with, registering one, using one, removing
 * one. A challenge is an HMAC over what its page is bound to, so that showing a page stores nothing; the caller
 * binds it to something that moves on with each use. Signing in: identity/sign-in/with-passkey.ts.
 */
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { Refused } from '../../core/refused.ts';
import { type AccountRecord, hasWayInBesideLinks } from '../../model/account.ts';
import { type Factors, type Passkey, passkeysOf } from '../../model/factors.ts';
import { updateAccount } from '../accounts/update-account.ts';
import type { Identity, RequestContext } from '../context.ts';
import { type ChangedFactors, changeFactors } from './change-factors.ts';
import { claimCredential, releaseCredential } from './credential-owners.ts';
import {
  ALGORITHMS,
  type Assertion,
  judgeRegistration,
  type RegistrationRefusal,
  relyingPartyOf,
} from './webauthn.ts';

/** An account has at most so many. */
export const MOST_PASSKEYS = 20;
/** Milliseconds that a browser gives the person. */
const TIMEOUT = 300_000;

type Asker = Pick<Identity, 'issuer' | 'secrets'>;

/** `bound`: what its page is bound to, and a count that moves on with each use. */
export function passkeyChallenge(identity: Asker, ...bound: readonly (string | number)[]): string {
  return identity.secrets.hmac('passkey-challenge', JSON.stringify(bound));
}

/** For a sign-in: with any passkey that the authenticator has for this host, or with one of the account's. */
export function requestOptions(
  identity: Asker,
  { challenge, account }: { challenge: string; account?: AccountRecord },
): PublicKeyCredentialRequestOptionsJSON | undefined {
  const party = relyingPartyOf(identity);
  if (party === undefined) return undefined;
  return {
    ...{ rpId: party.rpId, challenge, timeout: TIMEOUT },
    userVerification: account === undefined ? 'required' : 'preferred',
    ...(account && { allowCredentials: descriptorsOf(account) }),
  };
}

/** `rpName`: the name that an authenticator may show for this server. */
export function creationOptions(
  identity: Asker,
  { challenge, account, rpName }: { challenge: string; account: AccountRecord; rpName: string },
): PublicKeyCredentialCreationOptionsJSON | undefined {
  const party = relyingPartyOf(identity);
  if (party === undefined) return undefined;
  const name = account.email ?? account.username ?? account.claims.name ?? account.id;
  return {
    rp: { id: party.rpId, name: rpName },
    user: { id: userHandleOf(identity, account), name, displayName: account.claims.name ?? name },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    ...{ challenge, timeout: TIMEOUT, attestation: 'none' },
    excludeCredentials: descriptorsOf(account),
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
  };
}

/** What an authenticator keeps of the person: nothing that says who it is (14.6.1). */
export function userHandleOf(identity: Asker, { id }: Pick<AccountRecord, 'id'>): string {
  return identity.secrets.hmac('passkey-user', id);
}

function descriptorsOf(account: AccountRecord) {
  return passkeysOf(account).map(({ id, transports }) => ({
    ...{ id, type: 'public-key' as const },
    ...(transports.length > 0 && { transports: [...transports] }),
  }));
}

/** `response`: as the browser sent it. `taken`: the credential is another account's; `full`: it has enough. */
export async function registerPasskey(
  identity: Identity,
  input: {
    account: AccountRecord;
    response: string;
    challenge: string;
    name: string;
    context: RequestContext;
  },
): Promise<ChangedFactors | { refused: RegistrationRefusal | 'taken' | 'full' }> {
  const { account, response: text, challenge, name, context } = input;
  const party = relyingPartyOf(identity);
  if (party === undefined) return { refused: 'wrong' };
  const verdict = await judgeRegistration({ ...party, challenge, text });
  if ('refused' in verdict) return verdict;
  const { made } = verdict;
  if (passkeysOf(account).length >= MOST_PASSKEYS) return { refused: 'full' };
  const isThere = passkeysOf(account).some(({ id }) => id === made.id);
  if (isThere || !(await claimCredential(identity, account, made.id))) return { refused: 'taken' };
  const passkey: Passkey = { ...made, name, createdAt: identity.clock.now().toISOString() };
  const changed = await changeFactors(identity, {
    ...{ accountId: account.id, event: 'factor.add', factor: 'passkey', context },
    change: (factors, present) =>
      // Another form came first: it has spent the challenge.
      present.version === account.version
        ? { ...factors, passkeys: [...passkeysOf(present), passkey] }
        : null,
  });
  return changed ?? { refused: 'expired' };
}

/**
 * Compared and set with the account's version, so that of two uses of one count, on whichever node, one is refused
 * (6.1.1). Authenticators without a counter say 0. Undefined: the passkey was removed meanwhile.
 */
export async function notePasskeyUse(
  identity: Identity,
  { account, id, assertion }: { account: AccountRecord; id: string; assertion: Assertion },
): Promise<AccountRecord | 'counter-back' | undefined> {
  const { counter, backedUp } = assertion;
  const seen: { outcome?: 'counter-back' | 'used' } = {};
  const lastUsedAt = identity.clock.now().toISOString();
  const change = (present: AccountRecord): AccountRecord | null => {
    delete seen.outcome;
    const passkey = passkeysOf(present).find((one) => one.id === id);
    if (passkey === undefined) return null;
    seen.outcome = isBack(passkey, counter) ? 'counter-back' : 'used';
    if (seen.outcome === 'counter-back') return null;
    const passkeys = passkeysOf(present).map((one) =>
      one === passkey ? { ...one, counter, backedUp, lastUsedAt } : one,
    );
    return { ...present, factors: { ...present.factors, passkeys } };
  };
  const changed = await updateAccount(identity, account.id, change, { quiet: true });
  return seen.outcome === 'used' ? changed : seen.outcome;
}

function isBack(passkey: Passkey, counter: number): boolean {
  return (counter > 0 || passkey.counter > 0) && counter <= passkey.counter;
}

/**
 * Refused('forbidden'): it is the last way in, ('account-not-found'): there is none of this id. `configured`: a link of
 * any other issuer is no way in; absent, each is one.
 */
export async function removePasskey(
  identity: Identity,
  input: {
    accountId: string;
    id: string;
    context: RequestContext;
    configured?: (issuer: string) => boolean;
  },
): Promise<void> {
  const { accountId, id, context, configured = () => true } = input;
  const isLinked = async () =>
    (await identity.stores.identities.listByAccount(accountId)).some(({ issuer }) => configured(issuer));
  const wasLinked = await isLinked();
  const before: { factors?: Factors } = {};
  const removed = await changeFactors(identity, {
    ...{ accountId, event: 'factor.remove', factor: 'passkey', context },
    change: (factors, account) => {
      const passkeys = passkeysOf(account).filter((passkey) => passkey.id !== id);
      if (passkeys.length === passkeysOf(account).length) return null;
      const left = { ...factors, passkeys };
      if (!wasLinked && !hasWayInBesideLinks({ ...account, factors: left })) throw new Refused('forbidden');
      before.factors = factors;
      return left;
    },
  });
  if (removed === undefined) throw new Refused('account-not-found');
  if (!hasWayInBesideLinks(removed.account) && !(await isLinked())) {
    // The link that this one counted on has been removed meanwhile, by one that counted on the passkey.
    const { factors = {} } = before;
    await updateAccount(identity, accountId, (present) => ({ ...present, factors }));
    throw new Refused('forbidden');
  }
  await releaseCredential(identity, id);
}
