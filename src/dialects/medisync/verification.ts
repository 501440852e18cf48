/**
 * The link that confirms an address. It is sent at registration, and by POST /verification/resend, which
 * answers alike for everyone. GET /verification/verify shows a page with one button and changes nothing,
 * since mail scanners open links; POST uses the link up, for programs as JSON and for the button as a form.
 */
import { z } from 'zod';
import type { FieldIssue } from '../contract/dialect.ts';
import type { AccountView, RequestView } from '../contract/endpoint.ts';
import { sliding } from '../contract/limits.ts';
import { ok, page } from '../contract/reply.ts';
import type { Use } from '../contract/use.ts';
import { linkToken, optionalAddress } from './fields.ts';
import { fromPage, refusedLinkPage } from './refusals.ts';
import { Failure, MessageReply } from './serializers.ts';
import { endpoint, type MediSyncSettings, tenfold } from './settings.ts';

export const PURPOSE = 'medisync-verification';

/** Built from configuration alone, never from the request's Host. */
export function linkTemplate(
  issuer: string,
  { base, verification }: Pick<MediSyncSettings, 'base' | 'verification'>,
): string {
  const url = verification.url ?? `${issuer}${base}/verification/verify`;
  const [page = '', ...fragment] = url.split('#');
  const link = `${page}${page.includes('?') ? '&' : '?'}token={token}`;
  return [link, ...fragment].join('#');
}

/**
 * A new link ends every older one of the account. `confirms`: asked for at registration or by a token, and so
 * by who holds the password: it stays, and so do the tokens that it gave. A link that was asked for by the
 * address alone leaves its receiver alone with the account (docs/decisions/0010).
 */
export async function sendVerification(context: {
  /** Undefined: the same work, without an email. */
  account: AccountView | undefined;
  confirms: boolean;
  request: RequestView;
  settings: MediSyncSettings;
  use: Use;
}): Promise<void> {
  await context.use.emails.sendLinkToken({
    account: context.account,
    purpose: PURPOSE,
    prefix: 'vt_',
    lifetime: context.settings.verification.lifetime,
    link: linkTemplate(context.request.issuer, context.settings),
    email: 'verify-address',
    supersedes: true,
    confirms: context.confirms,
  });
}

const namesAddress = (raw: Readonly<Record<string, unknown>>) => (raw.email ?? undefined) !== undefined;
const hasAuthorization = (request: RequestView) => request.header('authorization') !== undefined;

/** Meant is the address of the body, or else the account of the token that came along. */
export const resendVerification = endpoint({
  method: 'POST',
  path: '/verification/resend',
  summary: 'Send the verification link again',
  caller: 'anyone',
  counts: 'address',
  body: { absent: 'empty-object' },
  accepts: { body: z.object({ email: optionalAddress }) },
  /** Only where the body names no address is the token looked at, and so only after the body. */
  needsCaller: ({ raw, request }) => !namesAddress(raw) && hasAuthorization(request),
  order: [
    'organization',
    'size',
    'media',
    'encoding',
    'syntax',
    'fields',
    'credential',
    'guard:uid',
    'rights',
    'limits',
  ],
  async alsoJudge({ raw, request }): Promise<FieldIssue[]> {
    const identified = namesAddress(raw) || hasAuthorization(request);
    return identified ? [] : [{ path: ['email'], message: 'email is required' }];
  },
  limits({ body, caller, request, settings: { limits } }) {
    // An account of another vendor may have no address; it gets no email, and is counted all the same.
    const key = body.email ?? caller?.account?.email ?? caller?.account?.id ?? '';
    return [
      { ...sliding, ...limits.resend, counter: 'resend', key },
      { ...sliding, ...tenfold(limits.resend), counter: 'resend-address', key: request.address },
    ];
  },
  replies: { 200: MessageReply, 400: Failure, 401: Failure, 413: Failure, 429: Failure },
  async answer({ body, caller, request, settings }, use) {
    const account = body.email === undefined ? caller?.account : await use.accounts.byEmail(body.email);
    const unverified = account?.status === 'active' && !account.emailVerified ? account : undefined;
    const confirms = body.email === undefined;
    await sendVerification({ account: unverified, confirms, request, settings, use });
    return ok({ success: true, message: 'Verification email sent' });
  },
});

const NO_REFERRER = { headers: { 'referrer-policy': 'no-referrer' } };

export const showVerification = endpoint({
  method: 'GET',
  path: '/verification/verify',
  summary: 'The page that a verification email leads to',
  caller: 'anyone',
  counts: 'nothing',
  body: 'ignored',
  replies: { 200: z.string().describe('HTML'), 400: z.string().describe('HTML'), 413: Failure },
  async answer({ request }) {
    const [token = '', ...more] = request.query.getAll('token');
    if (token === '' || more.length > 0) return refusedLinkPage();
    return page(200, 'verify-address', { token, action: request.path }, NO_REFERRER);
  },
});

export const verify = endpoint({
  method: 'POST',
  path: '/verification/verify',
  summary: 'Use a verification link',
  caller: 'anyone',
  counts: 'nothing',
  body: { accepts: ['json', 'form'] },
  accepts: { body: z.object({ token: linkToken }) },
  replies: { 200: MessageReply, 400: Failure, 413: Failure },
  async answer({ body, request }, use) {
    await use.linkTokens.confirmAddress(body.token, PURPOSE);
    if (fromPage({ request, endpoint: verify })) return page(200, 'address-verified', {}, NO_REFERRER);
    return ok({ success: true, message: 'Email verified successfully' });
  },
});
