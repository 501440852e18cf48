/**
 * What an upstream tells of one of its people: that the person has ended the sign-in here, or the account there. The
 * link goes, and so does every sign-in of the account, since which of them rest on the upstream is not kept. Heeded
 * once: a notice that comes again changes nothing, nor does one that is older than the link.
 */
import { Refused } from '../../core/refused.ts';
import type { IdentityRecord } from '../../model/upstream-identity.ts';
import { recordEvent } from '../audit/audit.ts';
import { forgetUpstreamToken } from '../codes/upstream-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { idTokenWasUsed, useIdToken } from './id-token-replay.ts';
import { unlinkIdentity } from './link-identity.ts';

/** Seconds that the upstream's clock may be behind ours. */
const CLOCKS = 60;

interface Notice {
  readonly issuer: string;
  readonly subject: string;
  readonly kind: 'consent-revoked' | 'account-delete' | 'email-disabled' | 'email-enabled';
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly fingerprint: string;
  readonly staleAt: number;
}

interface Heeded {
  readonly notice: Notice;
  readonly context: RequestContext;
  /** As of unlinkIdentity. */
  readonly configured: (issuer: string) => boolean;
}

export async function heedNotice(identity: Identity, { notice, ...rest }: Heeded): Promise<void> {
  if (await idTokenWasUsed(identity, notice)) return;
  const { organizations, identities } = identity.stores;
  const latest = (notice.issuedAt + CLOCKS) * 1000;
  for (const { id: organization } of await organizations.list()) {
    const link = await identities.find(organization, notice.issuer, notice.subject);
    if (link === undefined || link.createdAt.getTime() > latest) continue;
    await heed(identity, link, { notice, ...rest });
  }
  // Last: what failed half way is done again when the notice comes again.
  await useIdToken(identity, notice);
}

async function heed(
  identity: Identity,
  link: IdentityRecord,
  { notice, context, configured }: Heeded,
): Promise<void> {
  const { kind } = notice;
  const { organization, issuer, subject, accountId } = link;
  if (kind === 'consent-revoked' || kind === 'account-delete') {
    await forgetUpstreamToken(identity, link);
    const evenLast = kind === 'account-delete';
    await unlink(identity, { accountId, issuer, subject, context, evenLast, configured });
    await identity.access.endAll(accountId);
  }
  const detail = { issuer, notice: kind };
  recordEvent(identity, { event: 'identity.notice', organization, subject: accountId, context, detail });
}

/** The only way in stays where the person may consent again: without it the account would be lost. */
async function unlink(identity: Identity, input: Parameters<typeof unlinkIdentity>[1]): Promise<void> {
  try {
    await unlinkIdentity(identity, input);
  } catch (error) {
    if (!(error instanceof Refused && ['forbidden', 'account-not-found'].includes(error.reason))) throw error;
  }
}
