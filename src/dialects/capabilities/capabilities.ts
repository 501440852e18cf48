/**
 * What an endpoint may do, bound to its dialect's client, its name and the request's organization. The
 * functions of identity/ do the work; here they are bound, and their accounts become views. One file per group.
 */
import { randomText } from '../../core/crypto.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { Refused } from '../contract/dialect.ts';
import type { LimitRule } from '../contract/limits.ts';
import type { Use } from '../contract/use.ts';
import { accountView, plainView } from '../runtime/account-view.ts';
import { knows } from '../runtime/admission.ts';
import { directoryOf } from '../runtime/directory.ts';
import type { DialectRequest } from '../runtime/request-context.ts';
import { accountsUse } from './accounts.ts';
import { apiKeysUse } from './api-keys.ts';
import { browsersUse } from './browser-sso.ts';
import { emailsUse } from './emails.ts';
import { linkTokensUse } from './link-tokens.ts';
import { passwordsUse } from './passwords.ts';
import type { Bound } from './scope.ts';
import { signInUse } from './sign-in.ts';
import { signOutUse } from './sign-out.ts';
import { upstreamsUse } from './upstream.ts';

/** A group is made when it is first used, so that GET me makes none. */
export function createUse(
  exchange: DialectRequest,
  pipeline: { within(rule: LimitRule): Promise<boolean> },
): Use {
  let scope: Bound | undefined;
  const bound = () => {
    scope ??= bind(exchange);
    return scope;
  };
  return {
    get signIn() {
      return signInUse(bound());
    },
    get signOut() {
      return signOutUse(bound());
    },
    get accounts() {
      return accountsUse(bound());
    },
    get passwords() {
      return passwordsUse(bound());
    },
    get emails() {
      return emailsUse(bound());
    },
    get linkTokens() {
      return linkTokensUse(bound());
    },
    get upstreams() {
      return upstreamsUse(bound());
    },
    get apiKeys() {
      return apiKeysUse(bound());
    },
    get browsers() {
      return browsersUse(bound());
    },
    now: () => exchange.services.clock.now(),
    random: (form) => randomText(form),
    within: (counter, key, limit) =>
      pipeline.within({ counter, key, ...limit, kind: 'sliding', charge: 'each' }),
  };
}

function bind(exchange: DialectRequest): Bound {
  const { services, mounted } = exchange;
  const { identity } = services;
  const { dialect, clientId } = mounted;
  const bound: Bound = {
    exchange,
    services,
    identity,
    mounted,
    context: {
      address: exchange.request.address,
      requestId: exchange.requestId,
      clientId,
      channel: dialect.name,
    },
    organization() {
      if (exchange.organization === undefined) throw new Refused('unknown-organization');
      return exchange.organization;
    },
    async adopt(record) {
      exchange.organization ??= await directoryOf(identity, dialect.name).byId(record.organization);
      return exchange.organization?.id === record.organization;
    },
    async find(accountId) {
      if (exchange.organization === undefined) return undefined;
      return findAccount(identity, { id: accountId, organization: exchange.organization.id });
    },
    async need(accountId) {
      const account = await bound.find(accountId);
      if (account === undefined) throw new Refused('account-not-found');
      return account;
    },
    view: (account) => accountView(identity, account, dialect),
    async viewIfHere(account) {
      if (account === undefined || account.organization !== exchange.organization?.id) return undefined;
      return bound.view(account);
    },
    viewIfKnown(account) {
      const isHere = account !== undefined && account.organization === exchange.organization?.id;
      return isHere && knows(mounted, account) ? plainView(account, dialect) : undefined;
    },
    did(event, subject, detail) {
      services.audit.write({
        event,
        outcome: 'success',
        ...(exchange.organization === undefined ? {} : { organization: exchange.organization.id }),
        subject,
        clientId,
        address: exchange.request.address,
        requestId: exchange.requestId,
        detail: { channel: dialect.name, ...detail },
      });
    },
  };
  return bound;
}
