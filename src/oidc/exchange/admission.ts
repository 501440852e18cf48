/** Whether this client may exchange this token now. */
import { type Client, errors } from 'oidc-provider';
import type { AccountStore } from '../../store/ports/accounts.ts';
import { createAccountFinder } from '../clients/claims.ts';
import { type ClientRegistry, traitsOf } from '../clients/clients.ts';
import { createFactorJudge, type FactorDeps, recordOf, signInBehind } from '../clients/factors.ts';
import type { TokenRights } from '../clients/token-permissions.ts';
import type { Possession } from '../extensions/sender-constraints.ts';
import type { OidcRecords } from '../persistence/records.ts';
import type { ProviderContext } from '../provider/context.ts';
import { POLICY, type Rule, type TargetKind } from './policy.ts';
import { findSubjectToken, type SubjectToken } from './subject-token.ts';

export interface AdmissionDeps extends FactorDeps {
  readonly oidcRecords: OidcRecords;
  readonly clients: ClientRegistry;
  readonly accounts: AccountStore;
  readonly rights: TokenRights;
}

/**
 * One answer for every subject token that is refused (RFC 8693, 2.2.2), so that it does not tell a client whether
 * there is such a token. The audit trail has the reason.
 */
export function refuseToken(reason: string): never {
  throw new errors.InvalidRequest(
    'subject_token is unknown, has ended, or is not one that the client may exchange for this',
    400,
    reason,
  );
}

/** A public client proves nothing of itself, so only a first-party one may, and its token belongs to a key. */
export function admitClient(client: Client, { jkt }: Possession): void {
  if (client.tokenEndpointAuthMethod !== 'none') return;
  if (!traitsOf(client).firstParty) {
    throw new errors.UnauthorizedClient('a public client of another party may not exchange tokens');
  }
  if (jkt === undefined) throw new errors.InvalidRequest('a public client must send a DPoP proof');
}

/** The subject token and the rule for it, with its account in the context. Throws InvalidRequest. */
export async function admitSubject(
  deps: AdmissionDeps,
  ctx: ProviderContext,
  asked: { value: string; client: Client; target: TargetKind; possession: Possession },
): Promise<{ subject: SubjectToken; rule: Rule }> {
  const subject = (await findSubjectToken(deps.oidcRecords, asked.value)) ?? refuseToken('is-unknown');
  const rule = POLICY[subject.kind][asked.target];
  if (typeof rule === 'string') return refuseToken(rule);
  if (rule.of === 'the client itself' && subject.clientId !== asked.client.clientId) {
    return refuseToken('is-of-another-client');
  }
  if (rule.listed === 'exchanges' && !(await isListed(deps, subject, asked.client))) {
    return refuseToken('is-not-listed');
  }
  if (!mayPresent(subject, rule, asked.possession)) return refuseToken('is-bound-to-a-key');
  await admitAccount(deps, ctx, subject);
  return { subject, rule };
}

async function isListed({ clients }: AdmissionDeps, subject: SubjectToken, client: Client): Promise<boolean> {
  const { kind, clientId, audience } = subject;
  const origin = kind === 'dialect' ? (await clients.record(clientId))?.dialect : audience;
  return origin !== undefined && traitsOf(client).exchanges.includes(origin);
}

/** A token that belongs to a key is presented by the API that it was sent to, or with a proof of that key. */
function mayPresent({ jkt, isOfCertificate }: SubjectToken, rule: Rule, possession: Possession): boolean {
  if (rule.of === 'any client') return true;
  return !isOfCertificate && (jkt === undefined || jkt === possession.jkt);
}

/** The account must be let in now, at the subject token's client and at the client that asks. */
async function admitAccount(deps: AdmissionDeps, ctx: ProviderContext, subject: SubjectToken): Promise<void> {
  const { accountId, organization, amr, authTime } = subject;
  const findAccount = createAccountFinder({ ...deps, rolesAliases: [] });
  const account = await findAccount(ctx, accountId);
  if (account === undefined) return refuseToken('account-is-not-let-in');
  if (organization !== undefined && organization !== account.organization)
    return refuseToken('other-organization');
  if (!(await deps.rights.holderMayGoOn({ ...subject, signedInAt: authTime })))
    return refuseToken('account-is-not-let-in');
  // A dialect may ask for less than this server, and takes app passwords.
  const [record, signIn] = [recordOf(account), signInBehind({ amr: [...amr], authTime })];
  if (record && (await createFactorJudge(deps)(signIn, record, ctx.oidc.client)))
    return refuseToken('lacks-a-factor');
  ctx.oidc.entity('Account', account);
}
