/** What differs is found and told, by place and form; no value of a person is in anything that stays. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { avycenna, visitnote } from '../dialects/vendors.ts';
import { PEOPLE, startTestServer } from '../support/server.ts';
import { startTampering, type Tamper } from './tampering.ts';
import { client, dayOf, sentences, startInShadow, WHO } from './world.ts';

const member = (json: Record<string, unknown>, name: string) => json[name] as Record<string, unknown>;

/** Values that a person of the legacy system has and that nothing may keep. */
const CANARIES = [
  'Zephyrine',
  'Quillon-Street-9',
  'zephyrine@quillon.test',
  '4711-0815-42',
  'pin-of-zephyrine',
];

const PLANTED: Tamper = {
  'POST /api/therapist/v1/register'(reply) {
    if (reply.status === 200) reply.status = 201;
  },
  'POST /api/therapist/v1/sign-in'(reply) {
    if (reply.status === 401) reply.json.message = 'Invalid password, Zephyrine of Quillon-Street-9';
  },
  'GET /api/therapist/v1/my-profile'(reply) {
    if (reply.status !== 200) return;
    const data = member(reply.json, 'data');
    delete data.license_state;
    data.last_name = 'Zephyrine';
    data.home = 'Quillon-Street-9';
    data['zephyrine@quillon.test'] = true;
    data.Zephyrine = { pin: '4711-0815-42' };
  },
  'POST /api/v1/auth/login'(reply) {
    if (reply.status === 200) reply.json.expires_in = String(reply.json.expires_in);
    if (reply.status === 422) reply.headers['content-type'] = 'application/problem+json';
    reply.headers['www-authenticate'] = 'Bearer realm="pin-of-zephyrine"';
  },
};

const tokenIn = ({ json }: { readonly json: unknown }) => (json as { data: { token: string } }).data.token;

describe('M23 the differences of a legacy system', function () {
  this.timeout(120_000);

  it('are found, each as a place and two forms, and nothing keeps a value of a person', async () => {
    const old = await startTestServer({ seeds: [PEOPLE] });
    const between = await startTampering(old.url, PLANTED);
    const front = await startInShadow(between.url, {
      legacy: { learn: ['tokens'], shadow: { passwords: 1, ignore: ['/data/home'] } },
    });
    const own = client(front.server.url, '10.8.8.8');
    await dayOf(visitnote, own);
    await dayOf(avycenna, own);
    const figures = await front.judged(own.sent);
    const found = await front.found();
    between.close();
    await old.close();
    expect(sentences(found).sort()).to.deep.equal(
      [
        'avycenna POST /auth/login /expires_in: type, digits there, number here',
        'avycenna POST /auth/login header content-type: text, application/problem+json there, application/json; charset=utf-8 here',
        'avycenna POST /auth/login header www-authenticate: text, Bearer … there, Bearer here',
        'visitnote GET /my-profile /data/*: missing here, boolean there, absent here',
        'visitnote GET /my-profile /data/*: missing here, object there, absent here',
        'visitnote GET /my-profile /data/last_name: value, text there, text here',
        'visitnote GET /my-profile /data/license_state: missing there, absent there, null here',
        'visitnote POST /register status: status, 201 there, 200 here',
        'visitnote POST /sign-in /message: text, Invalid password, … there, Invalid credentials here',
      ].sort(),
    );
    const file = readFileSync(path.join(front.server.folder, 'portico.db'), 'latin1');
    const record = JSON.stringify([...found]);
    const people = Object.values(WHO).flatMap(({ login, password }) => [login, password]);
    for (const value of [...CANARIES, ...people, 'Mara', 'eyJ']) {
      for (const kept of [record, figures]) expect(kept, value).not.to.include(value);
    }
    for (const value of CANARIES) {
      expect(front.server.logText(), value).not.to.include(value);
      expect(file, value).not.to.include(value);
    }
  });

  it('are looked for in stage primary by reads alone, where the configuration says so', async () => {
    const old = await startTestServer({ seeds: [PEOPLE] });
    const asked: string[] = [];
    const noted = (name: string) => [name, () => void asked.push(name)] as const;
    const me = 'GET /api/therapist/v1/my-profile';
    const tamper = { ...Object.fromEntries(['POST /api/therapist/v1/logout'].map(noted)), [me]: PLANTED[me] };
    const between = await startTampering(old.url, tamper);
    const legacy = { stage: 'primary', shadow: { reads: 1, ignore: ['/data/home'] } };
    const front = await startInShadow(between.url, {
      legacy,
      config: { federation: { google: { enabled: false } } },
    });
    const signIn = (origin: string) =>
      client(origin, '10.7.7.7').send({
        ...{ method: 'POST', path: visitnote.signIn.path },
        body: JSON.stringify(visitnote.signIn.body('mara@clinic.test', 'Harbour-Lantern-Quartz-41')),
      });
    const own = client(front.server.url, '10.7.7.7');
    const look = async (token: string) =>
      own.send({ method: 'GET', path: visitnote.me.path, headers: visitnote.me.headers(token) });
    const theirs = tokenIn(await signIn(old.url));
    const ours = tokenIn(await signIn(front.server.url));
    expect((await look(ours)).status).to.equal(200);
    expect((await look(theirs)).status).to.equal(200);
    await own.send({
      method: 'POST',
      path: '/api/therapist/v1/logout',
      headers: visitnote.me.headers(theirs),
    });
    const figures = await front.judged(1);
    const found = await front.found();
    between.close();
    await old.close();
    expect(figures.match(/^portico_shadow_total.*$/gm)).to.deep.equal([
      'portico_shadow_total{dialect="visitnote",endpoint="GET /my-profile",outcome="differs"} 1',
    ]);
    expect(asked).to.deep.equal([]);
    expect(sentences(found)).to.include(
      'visitnote GET /my-profile /data/last_name: value, text there, text here',
    );
  });
});
