/**
 * GET /auth: opens a hosted session for the bearer of an access token and sends the browser on to the
 * clinic's portal. The one GET that signs a person in (C7), so whatever is not a person's click (HEAD, a
 * prefetch) gets no session and consumes nothing (C4), and 303 takes the token out of the address.
 */
import { z } from 'zod';
import { type OrganizationView, Refused } from '../../contract/dialect.ts';
import type { Endpoint, RequestView } from '../../contract/endpoint.ts';
import { redirect } from '../../contract/reply.ts';
import type { SsoToken, Use } from '../../contract/use.ts';
import { refusalPage } from '../refusals.ts';
import { TOKEN, textOf } from '../serializers.ts';
import { endpoint, type VSeeSettings } from '../settings.ts';
import { nextUrl } from './next-url.ts';

/** In strict mode a token opens one session, so many seconds from its creation on. */
const STRICT_SECONDS = 60;

const Page = z.string().meta({ description: 'A small HTML page.' });
const Nothing = z.string().max(0).meta({ description: 'No body: Location leads on.' });

/** `path`: below `/` and `/vc/{env}`. */
export function browserSignIn(path: string): Endpoint<object, VSeeSettings> {
  return endpoint({
    method: 'GET',
    path,
    summary: "Open a browser session and go to the clinic's portal",
    caller: 'anyone',
    counts: 'nothing',
    body: 'ignored',
    replies: { 303: Nothing, 400: Page, 401: Page, 503: Page },
    async answer({ request, settings }, use) {
      if (isPrefetch(request)) return refusalPage(503, { headers: { 'retry-after': '1' } });
      const linkToken = await linkTokenOf(request, settings, use);
      if (linkToken === undefined) throw new Refused('link-token-refused');
      const target = targetOf(request, settings, linkToken.organization);
      if (target === undefined) throw new Refused('redirect-refused');
      if (request.method !== 'HEAD' && !(await open(request, linkToken, use)))
        throw new Refused('link-token-refused');
      return redirect(303, target);
    },
  });
}

/** Chromium's speculation rules send Sec-Purpose, older browsers Purpose. */
function isPrefetch(request: RequestView): boolean {
  return ['sec-purpose', 'purpose'].some((name) => /^\s*prefetch/i.test(request.header(name) ?? ''));
}

async function linkTokenOf({ query }: RequestView, { ssoTicket }: VSeeSettings, use: Use) {
  const [token = '', ...more] = query.getAll('sso_token');
  if (more.length > 0 || !TOKEN.test(token)) return undefined;
  const rules = ssoTicket === 'strict' ? { strict: STRICT_SECONDS } : {};
  const linkToken = await use.browsers.readSsoToken(token, rules);
  return linkToken?.account.status === 'active' ? linkToken : undefined;
}

function targetOf(request: RequestView, settings: VSeeSettings, { vendor }: OrganizationView) {
  const { query, base, issuer } = request;
  const [next = '/', ...more] = query.getAll('next');
  if (more.length > 0) return undefined;
  const portal = textOf(vendor?.portal) || settings.portal || new URL(issuer).origin;
  return nextUrl({ portal: new URL(portal), prefix: base, next });
}

function open({ query }: RequestView, linkToken: SsoToken, use: Use): Promise<boolean> {
  return use.browsers.openSession(linkToken, {
    burn: query.get('one_time_token') === '1',
    ...(query.get('disable_navigation') === '1' && { note: { disable_navigation: true } }),
  });
}
