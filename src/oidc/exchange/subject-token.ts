/**
 * The subject token: looked up as introspection does. Opaque and JWT access tokens and those of dialects are known;
 * API keys, refresh tokens and tokens of other servers are not.
 */

import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { textsOf } from '../../model/json.ts';
import type { OidcRecords, Payload } from '../persistence/records.ts';
import { DIALECT_GRANT } from '../tokens/dialect-tokens.ts';
import { lookUpForm } from '../tokens/token-handle.ts';
import type { SubjectKind } from './policy.ts';

export interface SubjectToken {
  readonly kind: SubjectKind;
  /** What its record is stored under. */
  readonly handle: string;
  readonly clientId: string;
  /** '' of a client's own token. */
  readonly accountId: string;
  readonly organization: string | undefined;
  readonly grantId: string;
  /** When its Grant ends: epoch seconds. */
  readonly grantEndsAt: number;
  readonly family: string | undefined;
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  /** Epoch seconds. */
  readonly expiresAt: number;
  /** It belongs to a DPoP key (its thumbprint), or to a client certificate. */
  readonly jkt: string | undefined;
  readonly isOfCertificate: boolean;
  /** The sign-in that it stems from. */
  readonly acr: string | undefined;
  readonly amr: readonly string[];
  readonly authTime: number | undefined;
  /** Of a dialect's token: the app password that it was signed in with. */
  readonly appPassword: string | undefined;
}

/** Undefined: unknown, expired, or its sign-in has ended. */
export async function findSubjectToken(
  oidcRecords: OidcRecords,
  value: string,
): Promise<SubjectToken | undefined> {
  const handle = String(lookUpForm(value));
  const token = await oidcRecords.load('AccessToken', handle);
  if (token === undefined) {
    const own = await oidcRecords.load('ClientCredentials', handle);
    return own && subjectToken('client', handle, own.payload, {});
  }
  const grant = await oidcRecords.load('Grant', String(token.payload.grantId));
  const belongs = (['clientId', 'accountId'] as const).every(
    (member) => grant?.payload[member] === token.payload[member],
  );
  return grant && belongs
    ? subjectToken(kindOf(token.payload), handle, token.payload, grant.payload)
    : undefined;
}

/** Looked at again once everything is stored: an end that ran beside the exchange has removed one of them. */
export async function isStillThere(
  oidcRecords: OidcRecords,
  { handle, grantId }: SubjectToken,
): Promise<boolean> {
  const [token, grant] = await Promise.all([
    oidcRecords.load('AccessToken', handle),
    oidcRecords.load('Grant', grantId),
  ]);
  return token !== undefined && grant !== undefined;
}

function kindOf({ gty, parent, aud }: Payload): SubjectKind {
  if (parent !== undefined || String(gty).startsWith(TOKEN_EXCHANGE)) return 'exchanged';
  if (gty === DIALECT_GRANT) return 'dialect';
  return aud === undefined ? 'sign-in' : 'api';
}

function subjectToken(kind: SubjectKind, handle: string, token: Payload, grant: Payload): SubjectToken {
  const { acr, amr, authTime = token.signedInAt } = token;
  return {
    ...{ kind, handle },
    clientId: String(token.clientId),
    accountId: String(token.accountId ?? ''),
    organization: text(token.organization),
    grantId: String(token.grantId),
    grantEndsAt: Number(grant.exp),
    family: text(token.family),
    audience: text(token.aud),
    scopes: (text(token.scope) ?? '').split(' ').filter((word) => word !== ''),
    expiresAt: Number(token.exp),
    jkt: text(token.jkt),
    isOfCertificate: token['x5t#S256'] !== undefined,
    acr: text(acr),
    amr: textsOf(amr),
    authTime: typeof authTime === 'number' ? authTime : undefined,
    appPassword: text(token.appPassword),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
