/**
 * B6: a budget is taken before it is spent. Each case sends far more requests at once than its counter allows,
 * over three nodes, and counts how many were judged.
 */
import { expect } from 'chai';
import { type Nodes, sharedNodes } from '../support/nodes.ts';
import { openWebSession } from '../support/web-session.ts';
import { doctor, freshAddress, pat, type Reply, type Sending, send, times, unhurried } from './calls.ts';

type Call = readonly [path: string, sending: Sending];

interface Counter {
  readonly name: string;
  readonly limit: number;
  /** Requests at once. */
  readonly requests: number;
  /** The answer to a request that was judged; all others are 429. */
  readonly judged: number;
  /** `address`: the same for all requests of the case. */
  call(i: number, address: Record<string, string>): Call;
}

const VSEE = { 'x-accountcode': 'clinicdev' };
const NORTH = { organization: 'north_clinic' };
const WRONG = 'Not-The-Password-At-All-1';

const COUNTERS: readonly Counter[] = [
  {
    name: 'one client address over many passwords',
    ...{ limit: 100, requests: 1000, judged: 401 },
    call: (i, headers) => [
      '/api/v1/auth/login',
      { headers, json: { email: `ghost${i}@spray.test`, password: WRONG } },
    ],
  },
  {
    name: 'one client address over many codes',
    ...{ limit: 100, requests: 400, judged: 401 },
    call: (i, headers) => [
      '/api/v1/auth/otp/verify',
      { headers, json: { email: `ghost${i}@codes.test`, otp: '000000' } },
    ],
  },
  {
    name: 'one login from one client address',
    ...{ limit: 10, requests: 100, judged: 401 },
    call: (i, headers) => [
      '/api_v3/users/login',
      {
        headers: { ...VSEE, ...headers },
        form: { username: i % 2 === 0 ? 'one@login.test' : 'ONE@login.test', password: WRONG },
      },
    ],
  },
  {
    name: 'one login from everywhere',
    ...{ limit: 100, requests: 300, judged: 401 },
    call: () => [
      '/api/v1/auth/otp/verify',
      { headers: freshAddress(), json: { email: 'everywhere@login.test', otp: '000000' } },
    ],
  },
  {
    name: 'CarePortals’ reset tokens',
    ...{ limit: 10, requests: 100, judged: 401 },
    call: (i, headers) => [
      `/patient/auth/forgot/validate?token=rst_${String(i).padStart(43, 'x')}`,
      { headers: { ...NORTH, ...headers } },
    ],
  },
  {
    name: 'CarePortals’ requests for a reset',
    ...{ limit: 60, requests: 150, judged: 201 },
    call: (i, headers) => [
      '/patient/auth/forgot',
      { headers: { ...NORTH, ...headers }, json: { email: `ghost${i}@forgot.test` } },
    ],
  },
  {
    name: 'CarePortals’ taken addresses',
    ...{ limit: 10, requests: 100, judged: 409 },
    call: (_, headers) => [
      '/patient/users',
      {
        headers: { ...NORTH, ...headers },
        json: {
          ...{ email: 'lea@x.test', firstName: 'Lea', lastName: 'Any', gender: 'female' },
          ...{ dob: '1990-01-01', phone: '+4915112345678' },
        },
      },
    ],
  },
  {
    name: 'AVYCENNA’s taken addresses',
    ...{ limit: 100, requests: 200, judged: 409 },
    call: (_, headers) => [
      '/api/v1/auth/register',
      { headers, json: { name: 'Dr. Any', email: doctor.login, password: 'Thistle-Quarry-Beacon-52' } },
    ],
  },
  {
    name: 'VisitNote’s requests',
    ...{ limit: 10, requests: 100, judged: 401 },
    call: (i, headers) => [
      '/api/therapist/v1/sign-in',
      { headers, json: { email: `ghost${i}@visitnote.test`, password: WRONG } },
    ],
  },
  {
    name: 'MediSync’s sign-ins',
    ...{ limit: 5, requests: 50, judged: 401 },
    call: (_, headers) => [
      '/api/login',
      { headers, json: { email: 'ghost@medisync.test', password: WRONG } },
    ],
  },
  {
    name: 'MediSync’s verification emails',
    ...{ limit: 5, requests: 50, judged: 200 },
    call: () => [
      '/api/verification/resend',
      { headers: freshAddress(), json: { email: 'ghost@medisync.test' } },
    ],
  },
  {
    name: 'VSee’s emails',
    ...{ limit: 5, requests: 50, judged: 200 },
    call: (_, headers) => [
      '/api_v3/users/reset_password',
      { headers: { ...VSEE, ...headers }, form: { email: 'ghost@vsee.test' } },
    ],
  },
  {
    name: 'AVYCENNA’s codes',
    ...{ limit: 5, requests: 50, judged: 200 },
    call: () => ['/api/v1/auth/otp/send', { headers: freshAddress(), json: { email: 'ghost@codes.test' } }],
  },
];

describe('B6 R3 a budget', function () {
  this.timeout(180_000);
  let nodes: Nodes;
  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
  });

  const call = ([path, sending]: Call): Promise<Reply> => send(`${nodes.url}${path}`, sending);

  /** A server that is too busy says 503, and has judged nothing. */
  function expectJudged(statuses: readonly number[], { judged, limit }: Pick<Counter, 'judged' | 'limit'>) {
    const count = statuses.filter((status) => status === judged).length;
    expect(count, 'judged')
      .to.be.at.least(limit / 2)
      .and.at.most(limit);
    for (const status of statuses) expect(status).to.be.oneOf([judged, 429, 503]);
    expect(statuses, 'turned away').to.include(429);
  }

  for (const counter of COUNTERS) {
    const { name, limit, requests } = counter;
    it(`B6 R3 ${name}: of ${requests} at once at most ${limit} are judged`, async () => {
      const address = freshAddress();
      const replies = await times(requests, (i) => call(counter.call(i, address)));
      expectJudged(
        replies.map(({ status }) => status),
        counter,
      );
      for (const { status, headers } of replies) {
        if (status === 429) expect(Number(headers['retry-after'])).to.be.at.least(1);
      }
    });
  }

  it('B6 R3 the hosted pages: of 130 device codes at once, and of 130 link tokens, at most 100 are judged', async () => {
    const secrets = [
      { path: '/device', name: 'user_code', wrong: 'bbbb-bbbb' },
      { path: await resetLink(), name: 'token', wrong: 'rst_wrong' },
    ];
    for (const { path, name, wrong } of secrets) {
      const address = freshAddress();
      // The provider gives each browser one try per page.
      const browsers = await times(130, () => openForm(`${nodes.url}${path}`, name, address));
      const statuses = await Promise.all(browsers.map((submit) => submit({ [name]: wrong })));
      expectJudged(statuses, { judged: 400, limit: 100 });
    }
  });

  async function resetLink(): Promise<string> {
    const submit = await openForm(`${nodes.url}/forgot`, 'login', freshAddress());
    await submit({ login: doctor.login });
    const { text } = await nodes.mail.take(doctor.login);
    return /\/reset\?token=\S+/.exec(text)?.[0] ?? '';
  }

  /** Sends the form of a page, and resolves with the status. */
  async function openForm(url: string, field: string, headers: Record<string, string>) {
    const session = openWebSession({ headers });
    const page = await session.open(url);
    if (typeof page === 'string') throw new Error(`The browser was sent to ${page}.`);
    const form = page.forms.find(({ names }) => names.includes(field));
    if (form === undefined) throw new Error(`There is no ${field} in ${page.url}:\n${page.body}`);
    return async (fields: Record<string, string>) => {
      const reply = await session.request(form.action, {
        method: 'POST',
        body: new URLSearchParams({ ...form.fields, ...fields }),
        headers: { origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' },
      });
      await reply.arrayBuffer();
      return reply.status;
    };
  }

  it('B6 300 honest sign-ins at once from one client address are all let in', async () => {
    const address = freshAddress();
    const people: readonly [Call, Call] = [
      ['/api/v1/auth/login', { headers: address, json: { email: doctor.login, password: doctor.password } }],
      [
        '/api_v3/users/login',
        { headers: { ...VSEE, ...address }, form: { username: pat.login, password: pat.password } },
      ],
    ];
    const replies = await times(300, (i) => unhurried(() => call(people[i % 2] ?? people[0])));
    expect([...new Set(replies.map(({ status }) => status))]).to.deep.equal([200]);
  });
});
