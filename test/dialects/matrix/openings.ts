/** The places at which people open accounts themselves in the default organization: the hosted pages and the dialects. */
import { webApp } from '../../support/clients.ts';
import { relyingParty, walk } from '../../support/relying-party.ts';
import { openWebSession, type Page } from '../../support/web-session.ts';
import { freshAddress, PASSWORD, type Sent, type World } from './world.ts';

export interface Place {
  readonly name: string;
  /** Opens an account with PASSWORD. */
  open(world: World, email: string): Promise<void>;
}

async function posted(world: World, path: string, json: unknown, more: Partial<Sent> = {}) {
  const reply = await world.send({ method: 'POST', path, json, ...more });
  if (reply.status >= 300) throw new Error(`${path} answered ${reply.status}: ${reply.text}`);
  return reply.json() as { data?: { token?: string } };
}

/** What an email to the address says. */
async function mailed(world: World, email: string, form: RegExp): Promise<string> {
  const { text } = await world.server.mail.take(email);
  return form.exec(text)?.[1] ?? '';
}

async function openAtHostedPages(world: World, email: string): Promise<void> {
  const { organizations } = world.server.running.stores;
  const organization = await organizations.byId('default');
  if (organization !== undefined) await organizations.put({ ...organization, registration: true });
  const party = await relyingParty(world.server.issuer);
  const session = openWebSession({ headers: { 'x-forwarded-for': freshAddress() } });
  const page = (at: Page | string): Page => {
    if (typeof at === 'string') throw new Error(`The browser was sent to ${at}.`);
    return at;
  };
  const first = page(await session.open((await party.begin()).url));
  const link = /href="(\/interaction\/[\w-]+\/register)"/.exec(first.body)?.[1] ?? '';
  const form = page(await session.open(world.server.url + link));
  const asked = page(await session.submit(form, { email, name: 'Hanna Hosted', password: PASSWORD }));
  const until = [webApp.redirectUri];
  await session.submit(asked, { code: await mailed(world, email, /\b(\d{6})\b/) }, { until });
}

export const places: readonly Place[] = [
  { name: 'hosted', open: openAtHostedPages },
  {
    name: 'visitnote',
    async open(world, email) {
      const json = { first_name: 'Vic', last_name: 'Note', email, password: PASSWORD };
      await posted(world, '/api/therapist/v1/register', json);
    },
  },
  {
    name: 'medisync',
    async open(world, email) {
      await posted(world, '/api/register', {
        ...{ title: 'Dr.', firstName: 'Mia', lastName: 'Sync', email, password: PASSWORD },
        ...{ specialty: 'Surgery', ehr_system_type: 'Epic', ehr_system_name: 'East' },
      });
      await world.server.mail.take(email);
    },
  },
  {
    name: 'careportals',
    async open(world, email) {
      const json = {
        ...{ email, firstName: 'Cara', lastName: 'Port', gender: 'female', dob: '1990-01-01' },
        ...{ phone: '+15555550171', password: PASSWORD },
      };
      await posted(world, '/patient/users', json, { headers: { organization: 'default' } });
    },
  },
  {
    name: 'avycenna',
    async open(world, email) {
      await posted(world, '/api/v1/auth/register', { name: 'Dr. Ava', email, password: PASSWORD });
    },
  },
  {
    name: 'vsee',
    async open(world, email) {
      await posted(world, '/api_v3/users/activate', { first_name: 'Val', last_name: 'See', email });
      const email_token = await mailed(world, email, /Your code: ([a-z]{6})\b/);
      const { data } = await posted(world, '/api_v3/users/login', { email, email_token });
      const headers = { 'x-apitoken': data?.token ?? '' };
      await posted(world, '/api_v3/me', { password: PASSWORD }, { headers });
    },
  },
];

/** The claim `roles` that an application gets when the person signs in there. */
export async function rolesClaim(world: World, email: string): Promise<unknown> {
  const party = await relyingParty(world.server.issuer);
  const session = openWebSession({ headers: { 'x-forwarded-for': freshAddress() } });
  const started = await party.begin({ scope: 'openid roles' });
  const callback = await walk(session, started.url, webApp.redirectUri, { login: email, password: PASSWORD });
  const { access_token } = await party.finish(started, callback);
  const headers = { authorization: `Bearer ${access_token}` };
  const { roles } = (await world.send({ method: 'GET', path: '/userinfo', headers })).json() as {
    roles?: unknown;
  };
  return roles;
}
