/**
 * What a yes of a legacy system is worth here: it confirms the address that was asked about, a person of no other
 * organization, and no role but those that the operator lets in. Any other yes changes nothing, and is audited.
 */
import type { LegacySettings } from '../config/legacy-section.ts';
import { normalizeEmail } from '../core/text.ts';
import type { Confirmed, LegacyApi } from '../dialects/contract/legacy-api.ts';
import type { RequestContext } from '../identity/context.ts';
import type { ConfirmedPerson } from '../identity/legacy-systems.ts';
import type { Audit } from '../observe/audit.ts';
import type { AccountStore } from '../store/ports/accounts.ts';
import type { Away } from './line.ts';

export interface Claimed {
  readonly question: string;
  /** What the person signs in with; undefined: the question names no person. */
  readonly login?: string | undefined;
  readonly yes: Confirmed;
  readonly organization: string;
  readonly context: RequestContext;
}

export type YesJudge = (claimed: Claimed) => Promise<ConfirmedPerson | Away>;

export function createYesJudge(options: {
  readonly dialect: string;
  readonly legacy: Pick<LegacySettings, 'roles'>;
  readonly roleOf?: LegacyApi['roleOf'];
  readonly accounts: Pick<AccountStore, 'byAlias'>;
  readonly audit: Audit;
}): YesJudge {
  const { dialect, legacy, accounts, audit, roleOf = ({ role }) => role } = options;
  return async (claimed) => {
    const { yes, organization, question, context } = claimed;
    const { email, username, status, claims, vendor } = yes.account;
    const address = email === undefined ? undefined : normalizeEmail(email);
    const why =
      isAnother(claimed.login, [address, username]) ??
      isForeignRole(roleOf(vendor ?? {}), legacy.roles) ??
      (await isOfAnotherOrganization(yes.vendorId));
    if (why !== undefined) {
      const { address: from, requestId, clientId, channel } = context;
      audit.write({
        ...{ event: 'account.confirm', outcome: 'error', organization, clientId, requestId, address: from },
        detail: { channel, dialect, question, why },
      });
      return { away: `a yes that is not believed (${why})` };
    }
    const { vendorId, addressVerified, createdAt, updatedAt } = yes;
    return {
      organization,
      ...(vendorId !== undefined && { vendorId }),
      ...(addressVerified !== undefined && { addressVerified }),
      ...(createdAt !== undefined && { createdAt }),
      ...(updatedAt !== undefined && { updatedAt }),
      account: {
        ...(address !== undefined && { email: address }),
        ...(username !== undefined && { username }),
        ...(status !== undefined && { status }),
        ...(claims !== undefined && { claims }),
        ...(vendor !== undefined && { vendor }),
      },
    };

    async function isOfAnotherOrganization(vendorId: string | undefined): Promise<string | undefined> {
      if (vendorId === undefined) return undefined;
      const holder = await accounts.byAlias(dialect, vendorId);
      return holder === undefined || holder.organization === organization
        ? undefined
        : 'another organization';
    }
  };
}

function isAnother(login: string | undefined, names: readonly (string | undefined)[]): string | undefined {
  if (login?.includes('@') !== true) return undefined;
  const folded = normalizeEmail(login);
  const fits = names.some((name) => name !== undefined && normalizeEmail(name) === folded);
  return fits ? undefined : 'another address';
}

function isForeignRole(role: unknown, roles: readonly string[]): string | undefined {
  return role === undefined || roles.some((allowed) => allowed === role)
    ? undefined
    : 'a role that is not let in';
}
