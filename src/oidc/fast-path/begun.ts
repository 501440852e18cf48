/** The ordinary beginning of a sign-in: a plain authorization request of a browser that is not signed in. */
import type { IncomingMessage } from 'node:http';
import type { Client } from 'oidc-provider';
import { randomToken } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { defaultApi } from '../apis/resource-indicators.ts';
import { traitsOf } from '../clients/clients.ts';
import { servesSeveral } from '../clients/organizations.ts';
import { begunCookie } from '../extensions/begun-sign-ins.ts';
import type { FastRoute } from '../fast-path-contract.ts';
import { isFapi2 } from '../profiles/fapi2.ts';
import { ROUTES, requestBounds } from '../provider/routes.ts';
import { plainForm } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';

type Parameters = NonNullable<ReturnType<typeof plainForm<(typeof NAMES)[number]>>>;

const NAMES = [
  ...(['client_id', 'code_challenge', 'code_challenge_method', 'nonce', 'redirect_uri'] as const),
  ...(['response_type', 'scope', 'state'] as const),
] as const;

/** Characters of the path and the query. */
const LONGEST = 2000;

export function beginningRoute(deps: FastPathDeps): FastRoute {
  return {
    pattern: ROUTES.authorization,
    takes: 'nothing',
    async answer(request, _text, { info: { address } }) {
      const params = parametersOf(request);
      if (params === undefined || !isOrdinary(params) || !isNewBrowser(request)) return undefined;
      const client = await deps.findClient(params.client_id ?? '');
      if (client === undefined || !(await mayAsk(client, params, deps))) return undefined;
      // Over the limit the provider's step says so, and writes it down.
      const takeBack = await deps.strangers.count('signIns', address).catch(undefinedIfRefused);
      return (
        takeBack &&
        begin(params, deps).catch(async (error) => {
          await takeBack();
          throw error;
        })
      );
    },
  };
}

function undefinedIfRefused(error: unknown): undefined {
  if (!(error instanceof Refused)) throw error;
}

function parametersOf({ url = '' }: IncomingMessage): Parameters | undefined {
  // Empty names count too where there are too many.
  if (url.length > LONGEST || url.includes('#') || url.includes('&&')) return undefined;
  const params = plainForm(url.slice(url.indexOf('?') + 1), NAMES);
  const { parameters = {} } = requestBounds(ROUTES.authorization) ?? {};
  return NAMES.every((name) => (params?.[name] ?? '').length <= (parameters[name] ?? LONGEST))
    ? params
    : undefined;
}

const CHALLENGE = /^[\w.~-]{43,128}$/;

function isOrdinary({ response_type: type, code_challenge: challenge = '', ...params }: Parameters): boolean {
  return type === 'code' && params.code_challenge_method === 'S256' && CHALLENGE.test(challenge);
}

/** Whether the provider would find no session, and would answer in HTML. */
function isNewBrowser({ headers: { cookie = '', accept = '*/*' } }: IncomingMessage): boolean {
  return !cookie.includes('portico_s') && /^(?:text\/html(?:,.*)?|\*\/\*)$/.test(accept);
}

/** Whether the client is an ordinary one, and may ask for this. */
export async function mayAsk(
  client: Client,
  params: Pick<Parameters, 'redirect_uri' | 'scope'>,
  deps: FastPathDeps,
): Promise<boolean> {
  const traits = traitsOf(client);
  if (traits.dialect !== undefined || traits.unregistered || servesSeveral(traits)) return false;
  if (asksForMore(client) || !client.responseTypes?.includes('code')) return false;
  if (!client.redirectUriAllowed(params.redirect_uri ?? '')) return false;
  return allowsScope(client, params.scope ?? '', deps) && (await defaultApi(deps, client)) === undefined;
}

/** What its metadata demands of each request. */
function asksForMore(client: Client): boolean {
  const { requirePushedAuthorizationRequests: pushed, requireSignedRequestObject: signed } = client;
  const { defaultAcrValues: acr, defaultMaxAge: age, requireAuthTime: time } = client;
  return isFapi2(client) || age !== undefined || [pushed, signed, acr, time].some(Boolean);
}

/** Of known scopes each once, as the provider stores them; `offline_access` needs a consent. */
function allowsScope(client: Client, scope: string, { scopes }: FastPathDeps): boolean {
  const asked = scope.split(' ');
  const own = client.scope?.split(' ') ?? asked;
  const isAllowed = (one: string) => scopes.has(one) && own.includes(one) && one !== 'offline_access';
  return asked.includes('openid') && asked.every(isAllowed) && new Set(asked).size === asked.length;
}

async function begin(params: Parameters, { oidcRecords, issuer, secrets, clock, config }: FastPathDeps) {
  const [uid, cid] = [randomToken(), randomToken()];
  const lifetime = config.oidc.lifetimes.interaction;
  const iat = Math.floor(Date.now() / 1000);
  // As the provider's model of it makes it.
  const payload = {
    ...{ iat, exp: iat + lifetime, returnTo: `${issuer}${ROUTES.authorization}/${uid}` },
    prompt: { name: 'login', reasons: ['no_session'], details: {} },
    params: { ...inOrder(params), resource: [] },
    ...{ cid, kind: 'Interaction', jti: uid },
  };
  await oidcRecords.save('Interaction', uid, payload, lifetime);
  const { name, value } = begunCookie(uid, { secrets, clock, issuer });
  const expires = new Date(Date.now() + lifetime * 1000).toUTCString();
  const secure = issuer.startsWith('https:') ? '; secure' : '';
  const location = `/interaction/${uid}`;
  return {
    status: 303,
    headers: [
      ...['Set-Cookie', `${name}=${value}; path=/; expires=${expires}; samesite=lax${secure}; httponly`],
      ...['Location', location, 'Content-Type', 'text/html; charset=utf-8'],
    ],
    body: `Redirecting to ${location}.`,
  };
}

function inOrder(params: Parameters): Record<string, string> {
  return Object.fromEntries(
    NAMES.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  );
}
