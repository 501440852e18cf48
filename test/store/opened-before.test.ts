/**
 * Accounts of older stores, when the store is migrated: from before `openedAt`, whose they are, and whose roles; from
 * before internationalized domains had one spelling, who is found by which address; from before they were tallied, how many.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import type { Config } from '../../src/config/schema.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import type { Json } from '../../src/model/json.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { accountRecord, fresh, later, times } from '../conformance/stores/back-end.ts';
import { sharedServers } from '../support/servers.ts';
import { embeddedConfig } from './embedded-config.ts';

interface Case {
  readonly who: string;
  readonly account: Partial<AccountRecord>;
  /** `detail` of the line that its making left in the audit trail. */
  readonly line?: { readonly event: string; readonly detail: Record<string, Json> };
  readonly becomes: Pick<AccountRecord, 'roles' | 'vendor'> & { readonly openedAt?: string };
}

const at = (dialect: string, event = 'account.register') => ({ event, detail: { dialect } });
const by = (channel: string) => ({ event: 'account.register', detail: { door: channel } });

const TRIAL = {
  subscription_status: 'trialing',
  trial_ends_at: '2030-01-29T09:00:00.000000Z',
  needs_onboarding: true,
};
const PATIENT = { phone_number: '+15555550177', phone_number_verified: false };

const CASES: readonly Case[] = [
  {
    who: 'a doctor who registered at AVYCENNA',
    account: { roles: ['doctor'], vendor: { avycenna: { role: 'doctor' } } },
    line: at('avycenna'),
    becomes: { openedAt: 'avycenna', roles: [], vendor: { avycenna: { role: 'doctor' } } },
  },
  {
    who: 'one who came there with Google',
    account: { roles: ['patient'], vendor: { avycenna: { role: 'patient' } } },
    line: at('avycenna', 'identity.created'),
    becomes: { openedAt: 'avycenna', roles: [], vendor: { avycenna: { role: 'patient' } } },
  },
  {
    who: 'one whom an operator promoted after that',
    account: { roles: ['admin'], vendor: { avycenna: { role: 'doctor' } } },
    line: at('avycenna'),
    becomes: { openedAt: 'avycenna', roles: ['admin'], vendor: { avycenna: { role: 'doctor' } } },
  },
  {
    who: 'a clinician who registered at VisitNote',
    account: { roles: ['clinician'], vendor: { visitnote: { discipline: 'PT' } } },
    line: at('visitnote'),
    becomes: {
      openedAt: 'visitnote',
      roles: [],
      vendor: { visitnote: { discipline: 'PT', role: 'clinician' } },
    },
  },
  {
    who: 'a patient who registered at CarePortals',
    account: { roles: ['patient'] },
    line: at('careportals'),
    becomes: { openedAt: 'careportals', roles: [], vendor: { careportals: { role: 'patient' } } },
  },
  {
    who: 'one who registered at MediSync, with a role of an operator’s',
    account: { roles: ['doctor'], vendor: { medisync: { title: 'Dr.' } } },
    line: at('medisync'),
    becomes: { openedAt: 'medisync', roles: ['doctor'], vendor: { medisync: { title: 'Dr.' } } },
  },
  {
    who: 'one whom a clinic signed on at VSee',
    account: { vendor: { vsee: { type: 200 } } },
    line: at('vsee'),
    becomes: { openedAt: 'vsee', roles: [], vendor: { vsee: { type: 200 } } },
  },
  {
    who: 'one who registered at the hosted pages, with a role of an operator’s',
    account: { roles: ['patient'] },
    line: by('hosted'),
    becomes: { openedAt: 'hosted', roles: ['patient'], vendor: {} },
  },
  {
    who: 'one whom an operator made, alike to the letter',
    account: {
      roles: ['doctor'],
      vendor: { avycenna: { role: 'doctor' } },
      aliases: { avycenna: fresh('usr') },
    },
    line: by('command-line'),
    becomes: { roles: ['doctor'], vendor: { avycenna: { role: 'doctor' } } },
  },
  {
    who: 'a doctor of AVYCENNA’s whose registration the trail has forgotten',
    account: {
      roles: ['doctor'],
      vendor: { avycenna: { role: 'doctor' } },
      aliases: { avycenna: fresh('usr') },
    },
    becomes: { openedAt: 'avycenna', roles: [], vendor: { avycenna: { role: 'doctor' } } },
  },
  {
    who: 'a clinician of VisitNote’s whose registration the trail has forgotten',
    account: { roles: ['clinician'], vendor: { visitnote: TRIAL }, aliases: { visitnote: fresh('uuid') } },
    becomes: { openedAt: 'visitnote', roles: [], vendor: { visitnote: { ...TRIAL, role: 'clinician' } } },
  },
  {
    who: 'a patient of CarePortals’ whose registration the trail has forgotten',
    account: { roles: ['patient'], claims: PATIENT, aliases: { careportals: fresh('id') } },
    becomes: { openedAt: 'careportals', roles: [], vendor: { careportals: { role: 'patient' } } },
  },
  {
    who: 'a seeded doctor with more than a registration knows',
    account: {
      roles: ['doctor'],
      vendor: { avycenna: { role: 'doctor', specialty: null } },
      aliases: { avycenna: fresh('usr') },
    },
    becomes: { roles: ['doctor'], vendor: { avycenna: { role: 'doctor', specialty: null } } },
  },
  {
    who: 'a seeded administrator',
    account: {
      roles: ['admin'],
      vendor: { avycenna: { role: 'admin' } },
      aliases: { avycenna: fresh('usr') },
    },
    becomes: { roles: ['admin'], vendor: { avycenna: { role: 'admin' } } },
  },
  {
    who: 'a seeded patient whose number nobody typed in',
    account: { roles: ['patient'], claims: { phone_number: '+1555' }, aliases: { careportals: fresh('id') } },
    becomes: { roles: ['patient'], vendor: {} },
  },
];

/** More than one page of accounts, so that the last are reached too. */
const OTHERS = 600;

type Step = 'openings' | 'domains' | 'standings';
const BEFORE: Record<Step, { embedded: number; mongo: number }> = {
  openings: { embedded: 2, mongo: 1 },
  domains: { embedded: 5, mongo: 4 },
  standings: { embedded: 9, mongo: 8 },
};

interface BackEnd {
  readonly config: Config['store'];
  /** Makes the store one of the version before a step. */
  setBack(step?: Step): Promise<void>;
  /** Writes an account's address in the spelling of an older Portico. */
  respell(account: AccountRecord, email: string): Promise<void>;
  close(): Promise<void>;
}

async function embedded(): Promise<BackEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-before-'));
  const config = embeddedConfig(join(folder, 'portico.db'));
  return {
    config,
    async setBack(step = 'openings') {
      const database = new DatabaseSync(config.embedded.file);
      if (step === 'standings')
        database.exec('DROP INDEX accounts_standings; ALTER TABLE accounts DROP COLUMN standings');
      database.exec(`PRAGMA user_version = ${BEFORE[step].embedded}`);
      database.close();
    },
    async respell(account, email) {
      const database = new DatabaseSync(config.embedded.file);
      const record = JSON.stringify({ ...account, email });
      database
        .prepare('UPDATE accounts SET email_folded = ?, record = ? WHERE id = ?')
        .run(email, record, account.id);
      database.close();
    },
    close: () => rm(folder, { recursive: true }),
  };
}

async function distributed(): Promise<BackEnd | undefined> {
  const servers = await sharedServers();
  if (!servers) return undefined;
  const { mongo, redis } = servers;
  const database = `before-${randomUUID()}`;
  return {
    config: {
      ...embeddedConfig('unused'),
      kind: 'distributed',
      mongo: { url: mongo.url, database },
      redis: { url: redis.url },
    },
    async setBack(step = 'openings') {
      const client = new MongoClient(mongo.url);
      const migrations = client.db(database).collection<{ _id: string; version: number }>('migrations');
      await migrations.updateOne({ _id: 'schema' }, { $set: { version: BEFORE[step].mongo } });
      if (step === 'standings')
        await client
          .db(database)
          .collection('accounts')
          .updateMany({}, { $unset: { standings: '' } });
      await client.close();
    },
    async respell(account, email) {
      const client = new MongoClient(mongo.url);
      const accounts = client.db(database).collection<{ _id: string }>('accounts');
      const emailKey = JSON.stringify([account.organization, email]);
      const record = JSON.stringify({ ...account, email });
      await accounts.updateOne({ _id: account.id }, { $set: { emailKey, record } });
      await client.close();
    },
    close: async () => {},
  };
}

async function withStores<Result>(
  { config }: BackEnd,
  work: (stores: Stores) => Promise<Result>,
  log = pino({ level: 'silent' }),
) {
  const stores = await openStores(config, { log });
  await stores.migrate();
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}

describe('a store from before accounts knew where they were opened', () => {
  for (const open of [embedded, distributed]) {
    it(`B2 tells what people gave themselves from what operators gave (${open.name})`, async function () {
      this.timeout(300_000);
      const backEnd = await open();
      if (backEnd === undefined) return this.skip();
      const now = new Date();
      const organization = fresh('clinic');
      const accounts = CASES.map(({ account }) => accountRecord({ organization, ...account }));
      await withStores(backEnd, async (stores) => {
        await Promise.all(times(OTHERS, () => stores.accounts.insert(accountRecord({ organization }))));
        for (const [index, account] of accounts.entries()) {
          expect(await stores.accounts.insert(account)).to.equal('inserted');
          const { line } = CASES[index] ?? {};
          const told = { organization, subject: account.id, outcome: 'success' } as const;
          if (line !== undefined) await stores.audit.append({ at: now, ...told, ...line });
          // What comes later in the trail decides nothing.
          await stores.audit.append({ at: later(now, 1), ...told, ...at('visitnote', 'sign-in') });
        }
      });
      await backEnd.setBack();
      for (const time of ['migrated', 'opened again']) {
        await withStores(backEnd, async (stores) => {
          for (const [index, { id, createdAt, updatedAt }] of accounts.entries()) {
            const { who = '', becomes } = CASES[index] ?? {};
            const present = await stores.accounts.byId(id);
            const { openedAt, roles, vendor } = present ?? {};
            const result = { ...(openedAt !== undefined && { openedAt }), roles, vendor };
            expect(result, `${who}, ${time}`).to.deep.equal(becomes);
            expect({ createdAt: present?.createdAt, updatedAt: present?.updatedAt }, who).to.deep.equal({
              createdAt,
              updatedAt,
            });
          }
        });
      }
      await backEnd.close();
    });
  }
});

describe('a store from before internationalized domains had one spelling', () => {
  for (const open of [embedded, distributed]) {
    it(`CL10 finds every account by either spelling, and reports two of one mailbox (${open.name})`, async function () {
      this.timeout(300_000);
      const backEnd = await open();
      if (backEnd === undefined) return this.skip();
      const organization = fresh('clinic');
      const person = (email: string) => accountRecord({ organization, email });
      const jan = person('jan@praxis.example');
      const [ascii, unicode] = [person('eva@xn--bcher-kva.example'), person('eva@praxis.example')];
      await withStores(backEnd, async (stores) => {
        for (const account of [jan, ascii, unicode])
          expect(await stores.accounts.insert(account)).to.equal('inserted');
      });
      await backEnd.setBack('domains');
      await backEnd.respell(jan, 'jan@b\u00fccher.example');
      await backEnd.respell(unicode, 'eva@b\u00fccher.example');
      const lines: string[] = [];
      const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
      const check = (stores: Stores) => async (email: string, id: string) => {
        const result = await stores.accounts.byEmail(organization, email);
        expect(result?.id, email).to.equal(id);
        expect((await stores.accounts.byLogin(organization, email, ['email']))?.id, email).to.equal(id);
      };
      await withStores(
        backEnd,
        async (stores) => {
          const finds = check(stores);
          for (const domain of ['xn--bcher-kva.example', 'b\u00fccher.example', 'bu\u0308cher.example']) {
            await finds(`jan@${domain}`, jan.id);
            await finds(`eva@${domain}`, ascii.id);
          }
          expect((await stores.accounts.byId(jan.id))?.email).to.equal('jan@xn--bcher-kva.example');
          expect((await stores.accounts.byId(unicode.id))?.email).to.equal('eva@b\u00fccher.example');
        },
        log,
      );
      const reports = lines.filter((line) => line.includes('one email address'));
      expect(reports).to.have.length(1);
      expect(reports[0]).to.contain(unicode.id).and.not.contain('b\u00fccher');
      await backEnd.close();
    });
  }
});

describe('a store from before accounts were tallied by where they stand at legacy systems', () => {
  for (const open of [embedded, distributed]) {
    it(`M1 tallies those that it had (${open.name})`, async function () {
      this.timeout(60_000);
      const backEnd = await open();
      if (backEnd === undefined) return this.skip();
      const organization = fresh('clinic');
      const legacy = { visitnote: { password: 'legacy' } } as const;
      const tally = [
        { standings: {}, count: 1 },
        { standings: { visitnote: 'roster' }, count: OTHERS },
      ];
      await withStores(backEnd, async ({ accounts }) => {
        await Promise.all(times(OTHERS, () => accounts.insert(accountRecord({ organization, legacy }))));
        await accounts.insert(accountRecord({ organization }));
      });
      await backEnd.setBack('standings');
      for (const time of ['migrated', 'opened again']) {
        await withStores(backEnd, async ({ accounts }) => {
          expect(await accounts.tally(organization), time).to.have.deep.members(tally);
        });
      }
      await backEnd.close();
    });
  }
});
