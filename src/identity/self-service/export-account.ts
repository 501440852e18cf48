/** What is known about a person, for the person: everything that is stored but what would open a channel. */
import type { AccountRecord } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import { listApiKeys } from '../accounts/api-keys.ts';
import type { Identity } from '../context.ts';

/** Audit lines, newest first. */
const LINES = 1000;

export async function exportAccount(
  identity: Identity,
  account: AccountRecord,
): Promise<Record<string, Json>> {
  const [links, keys, lines] = await Promise.all([
    identity.stores.identities.listByAccount(account.id),
    listApiKeys(identity, { accountId: account.id }),
    identity.stores.audit.latest({ limit: LINES, subject: account.id }),
  ]);
  return {
    account: describe(account),
    factors: factorsOf(account),
    linked_sign_ins: links.map(({ issuer, subject, createdAt }) => ({
      issuer,
      subject,
      linked_at: createdAt.toISOString(),
    })),
    api_keys: keys.map(({ id, name, scopes, createdAt, expiresAt, lastUsedAt }) => ({
      id,
      name,
      scopes,
      created_at: createdAt.toISOString(),
      expires_at: expiresAt?.toISOString() ?? null,
      last_used_at: lastUsedAt?.toISOString() ?? null,
    })),
    events: lines.map(({ at, event, outcome, clientId, address }) => ({
      at: at.toISOString(),
      event,
      outcome,
      client_id: clientId ?? null,
      address: address ?? null,
    })),
  };
}

function describe(account: AccountRecord): Record<string, Json> {
  return {
    sub: account.id,
    organization: account.organization,
    status: account.status,
    email: account.email ?? null,
    email_verified: account.emailVerified,
    preferred_username: account.username ?? null,
    has_password: account.passwordHash !== undefined,
    ...(structuredClone(account.claims) as Record<string, Json>),
    roles: [...account.roles],
    opened_at: account.openedAt ?? null,
    ids: { ...account.aliases },
    vendor: structuredClone(account.vendor),
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
    last_sign_in_at: account.lastSignInAt?.toISOString() ?? null,
  };
}

function factorsOf({ factors = {} }: AccountRecord): Record<string, Json> {
  const { app, recoveryCodes = [], passkeys = [], devices = [], appPasswords = [] } = factors;
  const times = ({ createdAt, lastUsedAt }: { createdAt: string; lastUsedAt?: string }) => ({
    created_at: createdAt,
    last_used_at: lastUsedAt ?? null,
  });
  return {
    authenticator_app: app === undefined ? null : times(app),
    recovery_codes_left: recoveryCodes.length,
    passkeys: passkeys.map((passkey) => ({ name: passkey.name, ...times(passkey) })),
    remembered_devices: devices.map((device) => ({
      name: device.name,
      until: device.until,
      ...times(device),
    })),
    app_passwords: appPasswords.map((each) => ({ name: each.name, dialect: each.dialect, ...times(each) })),
  };
}
