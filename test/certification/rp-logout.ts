/** The modules of the plan "rp-logout", by name. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { openWebSession } from '../support/web-session.ts';
import { FIRST, type Parameters, POST_LOGOUT, type Suite } from './suite.ts';

export const MODULES: Readonly<Record<string, (suite: Suite) => Promise<void>>> = {
  'oidcc-rp-initiated-logout-discovery-endpoint-verification: the metadata name the endpoint': async (
    suite,
  ) => {
    expect(suite.metadata.end_session_endpoint).to.equal(`${suite.issuer}/logout`);
  },

  'oidcc-rp-initiated-logout: signs out, and leads back with the state': async (suite) => {
    const { at, state, stillKnown } = await signOut(suite);
    expect(at).to.equal(`${POST_LOGOUT}?state=${state}`);
    expect(stillKnown).to.equal(false);
  },

  'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri: leads to no unregistered address': (suite) =>
    isRefused(suite, { post_logout_redirect_uri: `${POST_LOGOUT}/${randomBytes(8).toString('hex')}` }),

  'oidcc-rp-initiated-logout-modified-id-token-hint: takes no hint under alg none': (suite) =>
    isRefused(suite, (idToken) => {
      const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      return { id_token_hint: `${header}.${idToken.split('.')[1]}.` };
    }),

  'oidcc-rp-initiated-logout-no-id-token-hint: leads nowhere for a client that does not say who it is': (
    suite,
  ) => signsOutHere(suite, { id_token_hint: undefined }),

  'oidcc-rp-initiated-logout-no-params: signs out without any parameter': (suite) =>
    signsOutHere(suite, { id_token_hint: undefined, post_logout_redirect_uri: undefined, state: undefined }),

  'oidcc-rp-initiated-logout-no-post-logout-redirect-uri: signs out, and stays on a page': (suite) =>
    signsOutHere(suite, { post_logout_redirect_uri: undefined }),

  'oidcc-rp-initiated-logout-no-state: signs out, and adds no state to the address': async (suite) => {
    const { at, stillKnown } = await signOut(suite, { state: undefined });
    expect(at).to.equal(POST_LOGOUT);
    expect(stillKnown).to.equal(false);
  },

  'oidcc-rp-initiated-logout-only-state: signs out with a state alone': (suite) =>
    signsOutHere(suite, { id_token_hint: undefined, post_logout_redirect_uri: undefined }),

  'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri: a query makes another address': (
    suite,
  ) => isRefused(suite, { post_logout_redirect_uri: `${POST_LOGOUT}?foo=bar` }),

  'oidcc-rp-initiated-logout-bad-id-token-hint: takes no hint that the client signed itself': async (
    suite,
  ) => {
    const hint = await new SignJWT({ nonce: 'flibble' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(FIRST.clientId)
      .setAudience(suite.issuer)
      .setSubject('SubjectID')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(Buffer.from((FIRST.secret ?? '').padEnd(32)));
    await isRefused(suite, { id_token_hint: hint });
  },
};

type Changes = Parameters | ((idToken: string) => Parameters);

/** Signs in and out in one browser, and asks with prompt=none whether the person is still known. */
async function signOut(suite: Suite, changes: Changes = {}) {
  const browser = openWebSession();
  const { idToken } = await suite.signIn({}, { browser });
  const state = randomBytes(64).toString('hex');
  const wanted: Parameters = {
    ...{ id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT, state },
    ...(typeof changes === 'function' ? changes(idToken) : changes),
  };
  const query = Object.entries(wanted).filter((each): each is [string, string] => each[1] !== undefined);
  const until = [POST_LOGOUT];
  let at = await browser.open(`${suite.issuer}/logout?${new URLSearchParams(query)}`, until);
  if (typeof at !== 'string' && at.status === 200 && at.forms.length > 0) {
    at = await browser.submit(at, {}, { until });
  }
  const { answer } = await suite.ask({ prompt: 'none' }, { browser });
  if (answer?.code === undefined) expect(answer?.error).to.equal('login_required');
  return { at, state, stillKnown: answer?.code !== undefined };
}

/** An error page; the person stays signed in. */
async function isRefused(suite: Suite, changes: Changes): Promise<void> {
  const { at, stillKnown } = await signOut(suite, changes);
  expect(typeof at !== 'string' && at.status).to.equal(400);
  expect(stillKnown).to.equal(true);
}

async function signsOutHere(suite: Suite, changes: Changes): Promise<void> {
  const { at, stillKnown } = await signOut(suite, changes);
  expect(typeof at !== 'string' && at.body).to.contain('You are signed out');
  expect(stillKnown).to.equal(false);
}
