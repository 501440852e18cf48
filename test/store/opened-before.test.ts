/** Accounts of stores from before `openedAt`: whose they are, and whose roles, when the store is migrated. */
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

interface BackEnd {
  readonly config: Config['store'];
  /** Makes the store one of the version before. */
  setBack(): Promise<void>;
  close(): Promise<void>;
}

async function embedded(): Promise<BackEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-before-'));
  const config = embeddedConfig(join(folder, 'portico.db'));
  return {
    config,
    async setBack() {
      const database = new DatabaseSync(config.embedded.file);
      database.exec('PRAGMA user_version = 2');
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
    async setBack() {
      const client = new MongoClient(mongo.url);
      const migrations = client.db(database).collection<{ _id: string; version: number }>('migrations');
      await migrations.updateOne({ _id: 'schema' }, { $set: { version: 1 } });
      await client.close();
    },
    close: async () => {},
  };
}

async function withStores<Result>({ config }: BackEnd, work: (stores: Stores) => Promise<Result>) {
  const stores = await openStores(config, { log: pino({ level: 'silent' }) });
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
