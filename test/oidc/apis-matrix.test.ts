/**
 * Every client asks for every API, with several sets of scopes, by every flow. What comes out is held against a
 * few lines that know the grants, and nothing of the server: nothing is granted that was not given.
 */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { ALL_GRANTS, byCode, byDevice, byRefresh, type Outcome, onItsOwn } from './api-flows.ts';
import { Browser, basic, introspect, openWorld, type World } from './support.ts';

interface TestApi {
  readonly id: string;
  readonly format: 'jwt' | 'opaque';
  readonly organization?: string;
  readonly scopes: Readonly<Record<string, { readonly roles?: readonly string[] }>>;
}

/** Two APIs know a scope of the same name. */
const APIS: readonly TestApi[] = [
  { id: 'ledger', format: 'jwt', scopes: { read: {}, write: {}, purge: { roles: ['admin', 'owner'] } } },
  { id: 'vault', format: 'opaque', scopes: { read: {}, open: { roles: ['admin'] } } },
  { id: 'south', format: 'jwt', organization: 'south', scopes: { read: {}, write: {} } },
];

const CLIENTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  all: { ledger: ['read', 'write', 'purge'], vault: ['read', 'open'], south: ['read', 'write'] },
  some: { ledger: ['read'], vault: [] },
  bound: { ledger: ['purge'], vault: ['open'] },
  none: {},
  southern: { ledger: ['write', 'purge'], south: ['read'] },
};

const REQUESTS = [
  ['read'],
  ['write', 'read'],
  ['read', 'write', 'purge', 'open'],
  ['purge', 'nonsense'],
] as const;

const organizationOf = (client: string) => (client === 'southern' ? 'south' : 'north');
const uriOf = (api: TestApi) => `https://${api.id}.test`;

/** Nora and Sara have no role that a scope asks for, Otto has. */
const PEOPLE = { nora: ['nurse'], otto: ['admin'], sara: ['nurse'] } as const;
type Person = keyof typeof PEOPLE;

type Due = { readonly error: string } | { readonly scopes: readonly string[] };

/** What is due to a client by the grants, the roles and nothing else. No person: the client asks for itself. */
function due(client: string, api: TestApi, asked: readonly string[], person?: Person): Due {
  const granted = CLIENTS[client]?.[api.id];
  if (granted === undefined) return { error: 'invalid_target' };
  if (api.organization !== undefined && api.organization !== organizationOf(client))
    return { error: 'invalid_target' };
  const isRefused = (scope: string) =>
    person === undefined
      ? !granted.includes(scope) || api.scopes[scope]?.roles !== undefined
      : scope in api.scopes && !granted.includes(scope);
  if (asked.some(isRefused)) return { error: 'invalid_scope' };
  const has = (scope: string) => {
    const roles = api.scopes[scope]?.roles;
    return (
      roles === undefined || (person !== undefined && PEOPLE[person].some((role) => roles.includes(role)))
    );
  };
  return { scopes: asked.filter((scope) => granted.includes(scope) && has(scope)) };
}

describe('API7 the matrix of clients, APIs, scopes and flows', () => {
  let world: World;
  const browsers = new Map<Person, Browser>();
  before(async () => {
    world = await openWorld();
    for (const { id, ...api } of APIS) await world.putApi({ id, secret: `${id}-api-secret`, ...api });
    for (const [clientId, grants] of Object.entries(CLIENTS)) {
      const apis = Object.fromEntries(
        Object.entries(grants).map(([id, scopes]) => [`https://${id}.test`, [...scopes]]),
      );
      await world.putClient({
        ...{ clientId, secret: `${clientId}-secret`, organization: organizationOf(clientId) },
        ...{ traits: { firstParty: true }, metadata: { grant_types: ALL_GRANTS, apis } },
      });
    }
    const otto = await world.stores.accounts.byId('otto');
    if (otto) await world.stores.accounts.update({ ...otto, roles: [...PEOPLE.otto] });
    for (const person of ['nora', 'otto', 'sara'] as const) browsers.set(person, new Browser(world, person));
  });
  after(() => world.close());

  const cells = Object.keys(CLIENTS).flatMap((client) =>
    APIS.flatMap((api) => REQUESTS.map((asked) => ({ client, api, asked }))),
  );
  const peopleOf = (client: string): readonly Person[] =>
    organizationOf(client) === 'south' ? ['sara'] : ['nora', 'otto'];

  async function expectDue(outcome: Outcome, expected: Due, api: TestApi, what: string): Promise<void> {
    const { body, status } = outcome.reply;
    if ('error' in expected) {
      expect([body.error, body.access_token], what).to.deep.equal([expected.error, undefined]);
      expect(outcome.signedIn, `${what}: no person signs in for it`).to.equal(false);
      return;
    }
    expect(status, `${what} ${JSON.stringify(body)}`).to.equal(200);
    const token = String(body.access_token);
    const told = await introspect(world, token, basic(api.id, `${api.id}-api-secret`));
    const said = api.format === 'jwt' ? decodeJwt(token) : told;
    for (const claims of [told, said]) {
      expect(claims.aud, what).to.equal(uriOf(api));
      expect(
        String(claims.scope ?? '')
          .split(' ')
          .filter(Boolean),
        what,
      ).to.have.members(expected.scopes);
    }
  }

  it('of clients on their own', async () => {
    for (const { client, api, asked } of cells) {
      const outcome = await onItsOwn(world, client, { resource: uriOf(api), scope: asked.join(' ') });
      await expectDue(outcome, due(client, api, asked), api, `${client} ${api.id} ${asked}`);
    }
  });

  it('of people who sign in by code, and refresh', async function () {
    this.timeout(60_000);
    for (const { client, api, asked } of cells) {
      for (const person of peopleOf(client)) {
        const what = `${client} ${api.id} ${asked} ${person}`;
        const form = { resource: uriOf(api) };
        const request = { ...form, scope: ['openid', ...asked].join(' ') };
        const walk = { form, person, browser: browsers.get(person) ?? new Browser(world, person) };
        const expected = due(client, api, asked, person);
        const signIn = await byCode(world, client, request, walk);
        await expectDue(signIn, expected, api, what);
        if ('error' in expected) continue;
        const again = await byRefresh(world, client, signIn.reply.body, form);
        await expectDue(again, expected, api, `${what}, refreshed`);
        const more = { ...form, scope: Object.keys(api.scopes).join(' ') };
        const { reply } = await byRefresh(world, client, again.reply.body, more);
        // The refusal names the scopes that the refresh token lacks.
        if (reply.body.error === 'invalid_scope') continue;
        await expectDue({ signedIn: true, reply }, expected, api, `${what}, refreshed for more`);
      }
    }
  });

  it('of people who let a device in', async function () {
    this.timeout(60_000);
    for (const { client, api, asked } of cells) {
      const person = peopleOf(client).at(-1) ?? 'nora';
      const form = { resource: uriOf(api) };
      const request = { ...form, scope: ['openid', ...asked].join(' ') };
      const walk = { form, person, browser: browsers.get(person) ?? new Browser(world, person) };
      const outcome = await byDevice(world, client, request, walk);
      await expectDue(
        outcome,
        due(client, api, asked, person),
        api,
        `${client} ${api.id} ${asked} ${person}`,
      );
    }
  });
});
