/**
 * The ordinary end of a sign-in: the person has signed in on the pages, in a browser that had no session, and no page
 * is left to show. The browser gets its session, and goes on to the app with a code.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Account, Client } from 'oidc-provider';
import { z } from 'zod';
import { randomToken } from '../../core/crypto.ts';
import { browserOf, sessionLifetime } from '../access/browser-session.ts';
import { NOTHING } from '../access/consents.ts';
import { SESSION_COOKIE } from '../access/cookies.ts';
import { traitsOf } from '../clients/clients.ts';
import { createFactorJudge, recordOf, signInBehind } from '../clients/factors.ts';
import { begunSignIn } from '../extensions/begun-sign-ins.ts';
import { unsaved } from '../extensions/models.ts';
import type { FastRoute } from '../fast-path-contract.ts';
import type { Payload } from '../persistence/records.ts';
import { ROUTES } from '../provider/routes.ts';
import { mayAsk } from './begun.ts';
import type { FastPathDeps } from './fast-path.ts';

const text = z.string().min(1);

/** What is stored of a sign-in that was begun in a browser without a session, once the pages have finished it. */
const Finished = z.strictObject({
  ...{ iat: z.number(), exp: z.number(), returnTo: text, cid: text, kind: text, jti: text },
  prompt: z.unknown(),
  params: z.strictObject({
    ...{ client_id: text, redirect_uri: text, response_type: z.literal('code'), scope: text },
    ...{ code_challenge: text, code_challenge_method: text },
    ...{ nonce: text.optional(), state: text.optional(), resource: z.tuple([]) },
  }),
  result: z.strictObject({
    login: z.strictObject({
      ...{ accountId: text, amr: z.array(z.string()), acr: text, remember: z.boolean(), ts: z.number() },
    }),
  }),
});

interface SignIn {
  readonly stored: Payload;
  readonly finished: z.output<typeof Finished>;
  readonly client: Client;
  readonly account: Account;
}

const PATH = new RegExp(`^${ROUTES.authorization}/[\\w-]+$`);

export function resumptionRoute(deps: FastPathDeps): FastRoute {
  const { provider, oidcRecords, line } = deps;
  const find = createFinder(deps);
  return {
    pattern: `${ROUTES.authorization}/:uid`,
    takes: 'nothing',
    async answer(request) {
      if (!PATH.test(request.url ?? '') || request.headers.cookie?.includes(SESSION_COOKIE)) return undefined;
      const uid = begunSignIn(request, deps);
      const signIn = uid === undefined ? undefined : await find(uid);
      if (signIn === undefined) return undefined;
      const { interaction, grant, session, code } = recordsOf(signIn, request, deps);
      await oidcRecords.saveAll([interaction, grant, code, session]);
      const { client, account, finished } = signIn;
      line({ req: request, oidc: { client, account } }, 'grant.issued', 'success', {
        scope: finished.params.scope,
      });
      // The provider's own cookies and redirect, on a reply that is not sent.
      const ctx = provider.createContext(request, new ServerResponse(request));
      ctx.status = 303;
      ctx.redirect(callbackUrl(finished.params, code.value, deps.issuer));
      ctx.cookies.set(provider.cookieName('session'), session.value, deps.cookies);
      const cookies = withExpiry([ctx.response.get('Set-Cookie')].flat(), session.payload);
      return {
        status: 303,
        headers: [
          ...['Location', 'Content-Type', 'Content-Length'].flatMap((name) => [name, ctx.response.get(name)]),
          ...cookies.flatMap((cookie) => ['Set-Cookie', cookie]),
        ],
        body: String(ctx.body),
      };
    },
  };
}

/** The finished sign-in of an id; undefined where a page is left to show, or something about it is unusual. */
function createFinder(deps: FastPathDeps) {
  const lacksFactor = createFactorJudge(deps);
  return async (uid: string): Promise<SignIn | undefined> => {
    const stored = (await deps.oidcRecords.load('Interaction', uid))?.payload;
    const { data: finished } = Finished.safeParse(stored);
    if (stored === undefined || finished === undefined || finished.exp <= Date.now() / 1000) return undefined;
    const { params, result } = finished;
    const { accountId, amr, ts: authTime } = result.login;
    const client = await deps.findClient(params.client_id);
    if (client === undefined || !(await mayAsk(client, params, deps))) return undefined;
    const account = await deps.findAccount({ oidc: { client, params, grant: undefined } }, accountId);
    const record = account && recordOf(account);
    if (account === undefined || record === undefined) return undefined;
    if (await lacksFactor(signInBehind({ amr, authTime }), record, client)) return undefined;
    const signIn = { stored, finished, client, account };
    return (await isAllowed(signIn, deps)) ? signIn : undefined;
  };
}

/** Whether the client gets its code without a consent page. */
async function isAllowed(
  { client, account, finished }: SignIn,
  { consents }: FastPathDeps,
): Promise<boolean> {
  const { firstParty, registered } = traitsOf(client);
  if (firstParty && !registered) return true;
  const scopes = finished.params.scope.split(' ');
  const known = await consents.recall(account.accountId, client.clientId, { ...NOTHING, scopes });
  return known.scopes.length === scopes.length;
}

/** What a resumption stores, as the provider's models make it. */
function recordsOf(
  { stored, finished, client, account }: SignIn,
  request: IncomingMessage,
  deps: FastPathDeps,
) {
  const { lifetimes } = deps.config.oidc;
  const { params, exp, jti: value, result } = finished;
  const { amr, acr, remember, ts: loginTs } = result.login;
  const { accountId } = account;
  const { clientId } = client;
  const [sid, sessionUid] = [randomToken(), randomToken()];
  const ofBoth = { accountId, clientId };
  const grant = unsaved('Grant', { ...ofBoth, openid: { scope: params.scope } }, lifetimes.grant);
  const session = unsaved(
    'Session',
    {
      ...{ uid: sessionUid, acr, amr, accountId, loginTs, ...(!remember && { transient: true }) },
      authorizations: { [clientId]: { sid, grantId: grant.value } },
      browser: browserOf(request),
    },
    sessionLifetime({ loginTs }, deps.config.sessions),
  );
  const code = unsaved(
    'AuthorizationCode',
    {
      ...{ ...ofBoth, sessionUid, grantId: grant.value, acr, amr, authTime: loginTs },
      ...{ nonce: params.nonce, scope: params.scope, ...(client.includeSid() && { sid }) },
      ...{ codeChallenge: params.code_challenge, codeChallengeMethod: params.code_challenge_method },
      redirectUri: params.redirect_uri,
    },
    lifetimes.authorizationCode,
  );
  const lifetime = exp - Math.floor(Date.now() / 1000);
  const interaction = { kind: 'Interaction', value, payload: { ...stored, over: true }, lifetime };
  return { interaction, grant, session, code };
}

function callbackUrl({ redirect_uri: uri, state }: SignIn['finished']['params'], code: string, iss: string) {
  const url = new URL(uri);
  url.searchParams.set('code', code);
  if (state !== undefined) url.searchParams.set('state', state);
  url.searchParams.set('iss', iss);
  return url.href;
}

/** A session that is not remembered ends with its browser. */
function withExpiry(
  cookies: readonly string[],
  { exp, transient }: Readonly<Record<string, unknown>>,
): string[] {
  const expires = transient ? '' : `; expires=${new Date(Number(exp) * 1000).toUTCString()}`;
  return cookies.map((cookie) => cookie + expires);
}
