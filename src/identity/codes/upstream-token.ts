/**
 * The refresh token that an upstream gave with a sign-in, kept for one thing: to be revoked there when the link or the
 * account ends (App Store Review Guidelines, 5.1.1(v)). It is stored as an OIDC record, which the rotation of the
 * server key encrypts anew. A revocation lies in the outbox of logouts, whose deliverer tries until it succeeds.
 */
import { randomUUID, tryDecrypt } from '../../core/crypto.ts';
import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { Identity } from '../context.ts';

const KIND = 'UpstreamToken';
/** How long the deliverer tries, and how long an operator may then have it try again. Milliseconds. */
const TRIED_FOR = 30 * 86_400_000;
const KEPT_GIVEN_UP = 60 * 86_400_000;

export type UpstreamToken = {
  readonly provider: string;
  readonly token: string;
};

type Kept = Pick<Identity, 'stores' | 'secrets' | 'clock'>;
type Whose = Pick<IdentityRecord, 'organization' | 'issuer' | 'subject'>;

/** Of a linked identity. A newer token takes the place of an older one. */
export async function keepUpstreamToken(identity: Kept, whose: Whose, token: UpstreamToken): Promise<void> {
  await put(identity, idOf(identity, whose), token);
}

/** The upstream itself ended it. */
export async function forgetUpstreamToken(identity: Kept, whose: Whose): Promise<void> {
  await identity.stores.oidcRecords.remove(KIND, idOf(identity, whose));
}

/**
 * Resolves once it is certain that the token will be revoked, so before the link goes. Under an id of its own: a new
 * link of the same identity brings another token, which stays.
 */
export async function queueRevocation(identity: Kept, link: IdentityRecord): Promise<void> {
  const { stores, clock } = identity;
  const present = idOf(identity, link);
  const kept = await openUpstreamToken(identity, present);
  if (kept === undefined) return;
  const id = randomUUID();
  const now = clock.now();
  const endsAt = new Date(now.getTime() + TRIED_FOR);
  const expiresAt = new Date(endsAt.getTime() + KEPT_GIVEN_UP);
  await put(identity, id, kept, expiresAt);
  const { accountId, organization } = link;
  await stores.deliveries.add([
    {
      ...{ id, clientId: kept.provider, accountId, organization, sid: id, revokes: true },
      ...{ createdAt: now, dueAt: now, endsAt, expiresAt, tries: 0, version: 1 },
    },
  ]);
  await stores.oidcRecords.remove(KIND, present);
}

/** Undefined: there is none, or it lies under a server key that left the configuration. */
export async function openUpstreamToken(
  { stores, secrets, clock }: Kept,
  id: string,
): Promise<UpstreamToken | undefined> {
  const record = await stores.oidcRecords.byId(KIND, id, clock.now());
  const token = record && tryDecrypt(secrets, record.payload, `${KIND}:${id}`);
  return token === undefined ? undefined : JSON.parse(token);
}

export async function removeUpstreamToken({ stores }: Pick<Kept, 'stores'>, id: string): Promise<void> {
  await stores.oidcRecords.remove(KIND, id);
}

async function put(
  { stores, secrets, clock }: Kept,
  id: string,
  token: UpstreamToken,
  expiresAt?: Date,
): Promise<void> {
  await stores.oidcRecords.put(KIND, id, {
    payload: secrets.encrypt(JSON.stringify(token), `${KIND}:${id}`),
    createdAt: clock.now(),
    durable: true,
    ...(expiresAt && { expiresAt }),
  });
}

function idOf({ secrets }: Kept, { organization, issuer, subject }: Whose): string {
  return secrets.hmac(`artifact:${KIND}`, JSON.stringify([organization, issuer, subject]));
}
