/**
 * The verification link. GET shows a page with one button and changes nothing, since mail scanners open
 * links; POST uses the link up, for programs as JSON and for the page's button as a form.
 */
import { z } from 'zod';
import { ok, page } from '../contract/reply.ts';
import { linkToken } from './fields.ts';
import { fromPage, refusedLinkPage } from './refusals.ts';
import { Failure, MessageReply } from './serializers.ts';
import { endpoint } from './settings.ts';
import { PURPOSE } from './verification.ts';

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
