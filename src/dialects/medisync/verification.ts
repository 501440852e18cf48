/** The link that confirms an address: what is sent, and what using it does. */
import type { AccountView, RequestView } from '../contract/endpoint.ts';
import type { Use } from '../contract/use.ts';
import type { MediSyncSettings } from './settings.ts';

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
