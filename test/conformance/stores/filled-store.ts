import type { DumpedRecords, DumpSubject } from '../../../src/store/ports/dump.ts';
import type { Stores } from '../../../src/store/ports/stores.ts';
import { accountRecord, fresh, later, oidcRecordRecord, times } from './back-end.ts';

export type Filled = { [Subject in DumpSubject]?: DumpedRecords[Subject][] };

const HOUR = 3_600_000;
/** What a name may contain, for every kind of record. */
const HOSTILE = ':*"\0\n{}$ä';

/**
 * Puts records of every subject into a store through its ports, with fresh names, and some that are over
 * already. Resolves with those that live, as a dump should have them.
 */
export async function fillStore(stores: Stores, now: Date): Promise<Filled> {
  const organization = fresh('clinic');
  const soon = later(now, HOUR);
  const past = later(now, -HOUR);
  const accounts = await fillAccounts(stores, organization, now);
  const [anna] = accounts;
  const accountId = anna?.id ?? '';
  const lasting = await fillLasting(stores, { organization, accountId, now });
  const oidcRecords = await fillOidcRecords(stores, { accountId, now });
  const counted = await fillCounters(stores, now);

  const asker = fresh(`asker${HOSTILE}`);
  const code = { codeHash: fresh('code'), accountId, organization, createdAt: now, expiresAt: soon, asker };
  const codeKey = fresh(`code${HOSTILE}`);
  await stores.codes.put(codeKey, { ...code, tries: 3 });
  await stores.codes.attempt(codeKey, code.asker, 'wrong', now);
  await stores.codes.put(fresh('past'), { ...code, expiresAt: past, tries: 3 });

  const linkToken = { purpose: 'reset', organization, accountId, data: `sealed ${HOSTILE}`, createdAt: now };
  const hash = fresh('ticket');
  await stores.linkTokens.put(hash, { ...linkToken, expiresAt: soon });
  await stores.linkTokens.put(fresh('past'), { ...linkToken, expiresAt: past });

  const [held, settled] = [fresh('held'), fresh('settled')];
  const result = { encrypted: 'successor', at: now };
  await stores.leases.acquire(held, 'node-1', now, soon);
  await stores.leases.acquire(settled, 'node-2', now, soon);
  await stores.leases.complete(settled, 'node-2', { ...result, until: soon });

  await stores.presence.put(accountId, { lastSeenAt: now, until: soon });
  const deliveries = times(2, (index) => ({
    ...{ id: fresh(`delivery${HOSTILE}`), clientId: 'web-app', accountId, organization, sid: fresh('sid') },
    ...{ createdAt: now, dueAt: now, endsAt: soon, expiresAt: soon, tries: index, version: 1 + index },
  }));
  await stores.deliveries.add(deliveries);
  await stores.deliveries.add(deliveries.map((one) => ({ ...one, id: fresh('past'), expiresAt: past })));
  return {
    accounts,
    ...lasting,
    oidcRecords,
    ...counted,
    codes: [{ key: codeKey, ...code, tries: 2 }],
    linkTokens: [{ hash, ...linkToken, expiresAt: soon }],
    leases: [
      { key: held, owner: 'node-1', until: soon },
      { key: settled, owner: 'node-2', until: soon, result },
    ],
    presence: [{ accountId, lastSeenAt: now, until: soon }],
    deliveries,
  };
}

async function fillAccounts(stores: Stores, organization: string, now: Date) {
  const plain = accountRecord({ organization, createdAt: now, updatedAt: now });
  const full = accountRecord({
    organization,
    email: `${fresh('anna')}@example.org`,
    emailVerified: true,
    username: fresh('Anna'),
    passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$x$y',
    claims: { name: 'Anna Lindqvist', address: { country: 'SE' } },
    roles: ['therapist'],
    openedAt: 'vsee',
    aliases: { vsee: fresh('alias') },
    vendor: { vsee: { 'a.b': { $set: [1, null, HOSTILE] } } },
    createdAt: now,
    updatedAt: now,
  });
  for (const account of [full, plain]) await stores.accounts.insert(account);
  await stores.accounts.update({ ...full, roles: ['admin'] });
  await stores.accounts.touch(full.id, now);
  return [{ ...full, roles: ['admin'], version: 2, lastSignInAt: now }, plain];
}

async function fillLasting(stores: Stores, context: { organization: string; accountId: string; now: Date }) {
  const { organization, accountId, now } = context;
  const directory = { id: organization, name: 'Clinic', hosts: [`${fresh('host')}.example`], vendor: {} };
  await stores.organizations.put(directory);
  const client = {
    clientId: fresh('client'),
    organization,
    secretHash: 'hash',
    allOrganizations: false,
    firstParty: true,
    introspects: ['other'],
    revokes: [],
    metadata: { redirect_uris: ['https://app.example/callback'], 'x.$y': null },
  };
  await stores.clients.put(client);
  const api = {
    ...{ id: fresh('api'), identifier: fresh('urn:api'), organization, secretHash: 'hash' },
    ...{ scopes: { 'read.$': { roles: ['nurse'] } }, format: 'jwt' as const, algorithm: 'ES256' as const },
  };
  await stores.apis.put(api);
  const identity = {
    organization,
    issuer: 'https://accounts.google.com',
    subject: fresh('s'),
    accountId,
    createdAt: now,
  };
  await stores.identities.link(identity);
  const apiKeys = times(2, (index) => ({
    ...{ id: fresh('key'), organization, vendor: 'avycenna', accountId, name: `key ${index}` },
    ...{
      keyHash: fresh('hash'),
      scopes: ['read'],
      createdAt: later(now, index),
      expiresAt: later(now, HOUR),
    },
  }));
  for (const key of apiKeys) await stores.apiKeys.insert(key);
  const [first, ...others] = apiKeys;
  await stores.apiKeys.touch(first?.id ?? '', now);
  const fact = { name: fresh(`fact${HOSTILE}`), value: HOSTILE };
  await stores.metadata.set(fact.name, fact.value);
  const audit = times(3, (index) => ({
    ...{ at: later(now, index % 2), event: 'sign-in', outcome: 'success' as const, organization },
    ...{ subject: accountId, detail: { number: index } },
  }));
  for (const record of audit) await stores.audit.append(record);
  const usage = times(2, (index) => ({
    ...{ day: `2026-11-0${1 + index}`, dialect: fresh(`dialect${HOSTILE}`), tallies: HOSTILE },
  }));
  for (const { day, dialect, tallies } of usage) await stores.usage.change(day, dialect, () => tallies);
  return {
    organizations: [directory],
    clients: [client],
    apis: [api],
    identities: [identity],
    apiKeys: [{ ...first, lastUsedAt: now } as DumpedRecords['apiKeys'], ...others],
    metadata: [fact],
    audit,
    usage,
  };
}

async function fillOidcRecords(stores: Stores, { accountId, now }: { accountId: string; now: Date }) {
  const grantId = fresh('grant');
  const common = { grantId, accountId, clientId: 'web-app', createdAt: now, expiresAt: later(now, HOUR) };
  const records: DumpedRecords['oidcRecords'][] = [
    { kind: 'Grant', id: grantId, ...oidcRecordRecord({ accountId, createdAt: now, durable: true }) },
    { kind: 'RefreshToken', id: fresh('refresh'), ...oidcRecordRecord({ ...common, durable: true }) },
    {
      kind: 'RefreshToken',
      id: fresh('used'),
      ...oidcRecordRecord({ ...common, durable: true }),
      consumedAt: now,
    },
    { kind: 'AccessToken', id: fresh('long'), ...oidcRecordRecord({ ...common, durable: true }) },
    { kind: 'AccessToken', id: fresh('short'), ...oidcRecordRecord(common) },
    { kind: 'AuthorizationCode', id: fresh('code'), ...oidcRecordRecord(common), consumedAt: now },
    {
      kind: 'Session',
      id: fresh('session'),
      ...oidcRecordRecord({ ...common, uid: fresh('uid'), durable: true }),
    },
    { kind: 'DeviceCode', id: fresh('device'), ...oidcRecordRecord({ ...common, userCode: fresh('user') }) },
  ];
  for (const { kind, id, consumedAt, ...oidcRecord } of records) {
    await stores.oidcRecords.put(kind, id, oidcRecord);
    if (consumedAt) await stores.oidcRecords.consume(kind, id, consumedAt);
  }
  await stores.oidcRecords.put('Session', fresh('past'), oidcRecordRecord({ expiresAt: later(now, -1) }));
  return records;
}

async function fillCounters(stores: Stores, now: Date) {
  const window = HOUR;
  const [sliding, fixed, remembered] = [fresh('pair'), fresh('window'), fresh('address')];
  const events = times(3, (index) => ({ key: sliding, mark: fresh('mark'), at: later(now, -index * 1000) }));
  for (const { key, mark, at } of events) await stores.rateLimits.take(key, mark, { limit: 10, window }, at);
  for (const _ of times(4, () => 0)) await stores.rateLimits.takeInWindow(fixed, { limit: 10, window }, now);
  await stores.rateLimits.remember(remembered, later(now, HOUR));
  return {
    windows: [{ key: fixed, count: 4, until: later(now, window) }],
    attempts: events.map((event) => ({ ...event, until: later(event.at, window) })),
    remembered: [{ key: remembered, until: later(now, HOUR) }],
  };
}
