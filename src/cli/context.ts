/**
 * What a command works on: the configuration and the store behind it. The parts that only some commands
 * need (accounts, tokens) are made when they are asked for.
 */

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/schema.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { ServerKeys } from '../core/crypto.ts';
import type { RequestContext } from '../identity/context.ts';
import type { AccountRecord } from '../model/account.ts';
import type { AuditEntry, AuditEvent } from '../model/audit-event.ts';
import type { OrganizationRecord } from '../model/organization.ts';
import type { Log } from '../observe/log.ts';
import type { OperatorTools } from '../server/server.ts';
import type { Stores } from '../store/ports/stores.ts';
import { CommandRefused, note } from './output.ts';

export interface CommandContext {
  readonly config: Config;
  readonly stores: Stores;
  readonly secrets: ServerKeys;
  /** Of the keys of this configuration. */
  readonly keyIds: { readonly server: readonly string[]; readonly cookies: readonly string[] };
  readonly clock: Clock;
  readonly log: Log;
  /** Who does it, for the audit trail. */
  readonly context: RequestContext;
  /** Accounts with everything that hangs on them, and the OIDC server. */
  tools(): Promise<OperatorTools>;
  /** One line of the audit trail about what the operator did. */
  note(event: AuditEvent, context: Pick<AuditEntry, 'organization' | 'subject' | 'detail'>): Promise<void>;
}

const NO_EMAIL =
  'The email about it is not kept: mail.kind is mailbox, which is in the memory of the server, and this command ran beside it.';

/** What a command does with the stores: they are open before, and closed after it. */
export function inContext<Given>(work: (context: CommandContext, given: Given) => Promise<void>) {
  return (given: Given) => withCommandContext((context) => work(context, given));
}

async function withCommandContext(work: (context: CommandContext) => Promise<void>): Promise<void> {
  const [{ loadConfiguration }, { createLog }, { openStores }, { randomUUID }, { openKeys }] =
    await Promise.all([
      import('../server/configuration.ts'),
      import('../observe/log.ts'),
      import('../store/open-stores.ts'),
      import('../core/crypto.ts'),
      import('../keys/server-keys.ts'),
    ]);
  const config = await loadConfiguration();
  const log = createLog({ level: 'warn', destination: process.stderr });
  const isNew = missingFile(config);
  const stores = await openStores(config.store, { log });
  const origin = {
    address: 'local',
    requestId: randomUUID(),
    clientId: 'portico-cli',
    channel: 'command-line',
  };
  let tools: OperatorTools | undefined;
  try {
    await stores.migrate();
    if (isNew !== undefined) note(`There was no store at ${isNew}: this command has made one.`);
    const { secrets, ids } = await openKeys({ config, stores, clock: systemClock });
    await work({
      config,
      stores,
      secrets,
      keyIds: ids,
      log,
      clock: systemClock,
      context: origin,
      async tools() {
        const { openForOperator } = await import('../server/server.ts');
        tools ??= await openForOperator(config, { log });
        return tools;
      },
      note: (event, context) =>
        stores.audit.append({
          ...{ at: systemClock.now(), event, outcome: 'success', ...context },
          ...{ clientId: origin.clientId, address: origin.address, requestId: origin.requestId },
          detail: { channel: origin.channel, ...context.detail },
        }),
    });
  } finally {
    await tools?.close();
    if (tools !== undefined && tools.lostEmails() > 0) note(NO_EMAIL);
    await stores.close();
  }
}

/** The embedded store's file, where it is not there yet: the command may run in another folder than its server. */
function missingFile({ store }: Config): string | undefined {
  const file = path.resolve(store.embedded.file);
  return store.kind === 'embedded' && !existsSync(file) ? file : undefined;
}

/** The organization of this id; CommandRefused when there is none. */
export async function organizationOf({ stores }: CommandContext, id: string): Promise<OrganizationRecord> {
  const organization = await stores.organizations.byId(id);
  if (organization) return organization;
  const all = (await stores.organizations.list()).map((each) => each.id).join(', ');
  throw new CommandRefused(
    all === ''
      ? `There is no organization ${id}, nor any other. Make it: portico organization create ${id}`
      : `There is no organization ${id}. There are: ${all}`,
  );
}

/** The account that an operator means. CommandRefused when there is none, or one in each of several organizations. */
export async function findAccount(
  context: CommandContext,
  { who, organization }: { who: string; organization?: string | undefined },
): Promise<AccountRecord> {
  const { accounts, organizations } = context.stores;
  const byId = await accounts.byId(who);
  if (byId && (organization === undefined || byId.organization === organization)) return byId;
  const directories =
    organization === undefined ? await organizations.list() : [await organizationOf(context, organization)];
  const result: AccountRecord[] = [];
  for (const { id } of directories) {
    const account = (await accounts.byEmail(id, who)) ?? (await accounts.byUsername(id, who));
    if (account) result.push(account);
  }
  const [account, another] = result;
  if (!account)
    throw new CommandRefused(`There is no account ${who}${organization ? ` in ${organization}` : ''}.`);
  if (another) {
    const places = result.map((each) => each.organization).join(', ');
    throw new CommandRefused(
      `${who} has accounts in ${places}. Say which: --organization ${account.organization}`,
    );
  }
  return account;
}
