/**
 * What a legacy client costs beside an OIDC one: each dialect's "who am I" against /userinfo, interleaved in
 * one run on one server process. `npm run bench:overhead -- 2000` sets the number of rounds.
 */

import { ownApp } from '../test/support/clients.ts';
import { relyingParty, signIn } from '../test/support/relying-party.ts';
import { CLIENTS, PEOPLE } from '../test/support/server.ts';
import { startServerProcess } from '../test/support/server-process.ts';
import { interleave, printFigures, type Timed } from './interleave.ts';

const rounds = Number(process.argv[2] ?? 1000);
// VisitNote's general limit is part of its contract, and 60 a minute would end the run.
const server = await startServerProcess({
  seeds: [PEOPLE, CLIENTS],
  config: {
    dialects: {
      visitnote: { enabled: true, limits: { general: 1_000_000 } },
      medisync: { enabled: true },
      careportals: { enabled: true },
      avycenna: { enabled: true },
      vsee: { enabled: true },
    },
    log: { level: 'warn' },
  },
});

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<Record<string, never>>;
}

function get(name: string, path: string, headers: Record<string, string>): Timed {
  return {
    name,
    async request() {
      const response = await fetch(server.url + path, { headers });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${name}: ${response.status}`);
    },
  };
}

const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` });

async function everyMe(): Promise<Timed[]> {
  const party = await relyingParty(server.issuer, ownApp);
  const { tokens } = await signIn(party, {
    login: 'mara@clinic.test',
    password: 'Harbour-Lantern-Quartz-41',
  });
  const visitnote = await post('/api/therapist/v1/sign-in', {
    email: 'mara@clinic.test',
    password: 'Harbour-Lantern-Quartz-41',
  });
  const medisync = await post('/api/login', {
    email: 'n.okafor@ward.test',
    password: 'Copper-Meadow-Falcon-72',
  });
  const careportals = await post(
    '/patient/auth',
    { username: 'lea@x.test', password: 'Marble-Orchid-Signal-33' },
    { organization: 'north_clinic' },
  );
  const avycenna = await post('/api/v1/auth/login', {
    email: 'dr@clinic.test',
    password: 'Saffron-Glacier-Pilot-19',
  });
  const vsee = await post(
    '/api_v3/users/login',
    { username: 'pat@x.test', password: 'Willow-Compass-Ember-87' },
    { 'x-accountcode': 'clinicdev' },
  );
  const data = (reply: Record<string, unknown>) => reply.data as Record<string, unknown>;
  return [
    get('userinfo', '/userinfo', bearer(tokens.access_token)),
    get('visitnote', '/api/therapist/v1/my-profile', bearer(data(visitnote).token)),
    get('medisync', '/api/user/profile', bearer(medisync.token)),
    get('careportals', '/patient/users/account', bearer(careportals.token)),
    get('avycenna', '/api/v1/auth/me', bearer(avycenna.access_token)),
    get('vsee', '/api_v3/me', { 'x-apitoken': String(data(vsee).token) }),
  ];
}

try {
  printFigures(`who am I, ${rounds} rounds, interleaved`, await interleave(await everyMe(), rounds));
} finally {
  await server.stop();
}
