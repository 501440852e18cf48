import { expect } from 'chai';
import { checkDialects } from '../../src/dialects/pipeline/validate.ts';
import { dialectNames, loadEnabledDialects } from '../../src/dialects/registry.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** One of each form that is made here or upstream; none can stand in an id or a time by chance. */
const SECRETS = {
  'a code of digits': '48291374651',
  'a code of letters': 'zyxwvu',
  'a device code': 'WXYZ-KLMN',
  'a short token': 'mN7pQ2xK',
  'an opaque token': '7f9c2ba4e88f827d616045507605853e',
  'a prefixed token': 'rt_Qm9yZWRvbQ',
  'a JWT': 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
  'a code with percent signs': '%7A%79xwvutsrq',
  'a code before a broken escape': 'zyxwvuts%ff%',
};

const PLACES = [
  ...[
    '/',
    '/.well-known/',
    '/assets/',
    '/assets/brand/',
    '/reset/',
    '/forgot/',
    '/register/',
    '/account/keys/',
  ],
  ...['/authorize/', '/device/', '/token/', '/introspect/', '/revoke/', '/logout/', '/jwks/', '/livez/'],
  ...['/interaction/', '/interaction/x/with/', '/interaction/x/', '/federation/', '/verify/', '/metrics/'],
];

describe('A path with a code or a token in it', () => {
  let server: TestServer;
  let internal: string;
  before(async () => {
    const port = await freePort();
    internal = `http://127.0.0.1:${port}`;
    server = await startTestServer({ config: { http: { internal: { port } }, log: { level: 'trace' } } });
  });
  after(() => server.close());

  /** Where vendors' clients put it: for a parameter, below an endpoint, below the base. */
  async function placesOfDialects(): Promise<string[]> {
    const enabled = Object.fromEntries(dialectNames.map((name) => [name, { enabled: true }]));
    const { mounts } = checkDialects({
      dialects: await loadEnabledDialects(enabled),
      settings: enabled,
      reserved: () => false,
    });
    const patterns = mounts.flatMap(({ mount: { base, endpoints } }) => [
      base,
      ...endpoints.map(({ path }) => base + path),
    ]);
    return [...new Set(patterns)];
  }

  it('B10 L2 reaches neither the log nor the figures, at any address and by any method', async () => {
    const patterns = await placesOfDialects();
    for (const [what, secret] of Object.entries(SECRETS)) {
      const targets = [
        ...PLACES.flatMap((place) => [place + secret, `${place}${secret}/code`]),
        ...patterns.flatMap((pattern) => [
          `${pattern}/${secret}`,
          ...(pattern.includes(':') ? [pattern.replaceAll(/:\w+/g, secret)] : []),
        ]),
      ];
      for (const method of ['GET', 'POST']) {
        const accept = method === 'GET' ? 'text/html' : 'application/json';
        const replies = await Promise.all(
          targets.map((target) =>
            fetch(server.url + target, { method, headers: { accept }, redirect: 'manual' }),
          ),
        );
        for (const [index, reply] of replies.entries()) expect(reply.status, targets[index]).to.be.below(500);
      }
      const needles = [secret, decodeURIComponent(secret.replace(/%ff%$/, ''))];
      const figures = await (await fetch(`${internal}/metrics`)).text();
      for (const needle of needles) {
        const line = server
          .logText()
          .split('\n')
          .find((text) => text.includes(needle));
        expect(line, `${what} in the log`).to.equal(undefined);
        expect(
          figures.split('\n').find((text) => text.includes(needle)),
          `${what} in the figures`,
        ).to.equal(undefined);
      }
    }
  });

  it('B10 L2 is told by the pattern of the route that answered', async () => {
    const from = server.logged.length;
    for (const path of [
      '/interaction/zyxwvu',
      '/device/WXYZ-KLMN',
      '/api_v3/users/48291374651',
      '/nothing/here',
    ])
      await fetch(server.url + path, { redirect: 'manual' });
    const routes = server.logged
      .slice(from)
      .filter(({ msg }) => msg === 'request')
      .map(({ route }) => route);
    expect(routes).to.have.members(['/interaction/:uid', '/device/:uid', '/api_v3/users/:id', 'other']);
  });
});
