/** A whole move: sessions of three vendors go on, while the legacy system answers, is asked, and is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { changeStageRecord, type Stage, withStage } from '../../src/migration/stage-record.ts';
import type { DialectInfo } from '../conformance/dialect-under-test.ts';
import { avycenna, visitnote, vsee } from '../dialects/vendors.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const VENDORS = [visitnote, vsee, avycenna];
/** At each vendor. */
const SESSIONS = 300;
const AT_ONCE = 16;

interface Session {
  readonly vendor: DialectInfo;
  readonly access: string;
  readonly refresh: string | undefined;
  readonly address: string;
}

describe('900 sessions at three legacy systems', function () {
  this.timeout(180_000);
  let system: LegacySystem;
  let server: TestServer;
  let client: HttpClient;
  before(async () => {
    system = await startLegacySystem();
    const legacy = { url: system.url, stage: 'proxy', timeout: '5s', rate: '10000/1s' };
    const dialects = VENDORS.map(({ dialect: { name } }) => [
      name,
      { legacy: { ...legacy, roles: ['doctor'] } },
    ]);
    server = await startTestServer({ config: { dialects: Object.fromEntries(dialects) } });
    client = openClient(server.url);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  const everywhere = async (stage: Stage) => {
    const { metadata } = server.running.stores;
    for (const { dialect } of VENDORS)
      await changeStageRecord(metadata, dialect.name, (record) => withStage(record, {}, stage));
    // Every node reads the stages again within two seconds.
    await sleep(2500);
  };
  const send = ({ vendor, address }: Session, method: string, path: string, more: object, body?: object) =>
    client.send({
      ...{ method, path },
      headers: {
        ...{ 'x-forwarded-for': address, ...vendor.headers, ...more },
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const me = async (session: Session) => {
    const { path, headers } = session.vendor.me;
    return (await send(session, 'GET', path, headers(session.access))).status;
  };
  /** Those that did not get 200, by vendor and status. */
  const failing = async (sessions: readonly Session[], use: (session: Session) => Promise<number>) => {
    const found: string[] = [];
    const left = [...sessions];
    const work = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const status = await use(next);
        if (status !== 200) found.push(`${next.vendor.dialect.name} ${status}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  };
  const rotated = async (session: Session) => {
    const { vendor, refresh: token } = session;
    const [path, body] =
      vendor === vsee
        ? ['/api_v3/tokens/refresh.json', { refresh_token: token }]
        : ['/api/v1/auth/refresh', { refresh_token: token }];
    return (await send(session, 'POST', path, {}, body)).status;
  };

  it('M16 go on without one sign-in: learned in passing or asked about, and then the legacy system is stopped', async () => {
    const sessions = VENDORS.flatMap((vendor, place) =>
      Array.from({ length: SESSIONS }, (_, at): Session => {
        const name = vendor.dialect.name as Parameters<LegacySystem['add']>[0];
        const { access, refresh } = system.issue(system.add(name, { email: `${name}-${at}@old.test` }));
        const address = `203.${place}.${at % 250}.${Math.floor(at / 250) + 1}`;
        return { vendor, access: access.value, refresh: refresh?.value, address };
      }),
    );
    const learned = sessions.filter((_, at) => at % 3 === 0);
    const asked = sessions.filter((_, at) => at % 3 === 1);
    const refreshed = sessions.filter(({ refresh }, at) => at % 3 === 2 && refresh !== undefined);

    const { grants } = server.running.oidc;
    const isLearned = ({ vendor, access }: Session) =>
      grants.grantOf(access, `${vendor.dialect.name}-legacy`).then((grant) => grant !== undefined);
    // What the queue had no room for is learned when the client comes by again.
    for (let left = learned, rounds = 0; left.length > 0; rounds += 1) {
      if (rounds === 100) expect.fail(`${left.length} are not learned`);
      expect(await failing(left, me), 'in stage proxy').to.deep.equal([]);
      await sleep(250);
      const found = await Promise.all(left.map(isLearned));
      left = left.filter((_, at) => !found[at]);
    }

    await everywhere('primary');
    system.forget();
    expect(await failing(learned, me), 'learned').to.deep.equal([]);
    expect(system.calls, 'calls about what was learned').to.deep.equal([]);
    expect(await failing(asked, me), 'asked about').to.deep.equal([]);
    expect(await failing(refreshed, rotated), 'refreshed').to.deep.equal([]);

    await everywhere('standalone');
    system.forget();
    await system.close();
    expect(await failing([...learned, ...asked], me), 'alone').to.deep.equal([]);
    expect(system.calls).to.deep.equal([]);
  });
});
