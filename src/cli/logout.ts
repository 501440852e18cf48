/** Sign-outs that clients are to be told of (back-channel logout): those that wait, and those that were given up. */
import { lifeFrom } from '../oidc/logout/outbox.ts';
import type { DeliveryRecord } from '../store/ports/deliveries.ts';
import { command, group } from './command.ts';
import { type CommandContext, inContext } from './context.ts';
import { countOption } from './options.ts';
import { CommandRefused, type JsonOption, say, sayList, sayRecord } from './output.ts';

interface List extends JsonOption {
  readonly client?: string;
  readonly dead?: boolean;
  readonly waiting?: boolean;
  readonly limit: number;
}

interface Retry {
  readonly delivery?: string;
  readonly client?: string;
  readonly all?: boolean;
}

export const logoutCommand = group('logout', 'sign-outs that clients are told of (back-channel logout)', [
  command({
    name: 'list',
    about: 'print what no client has taken yet, the newest first',
    options: [
      ['--client <id>', 'of this client'],
      ['--dead', 'what was given up'],
      ['--waiting', 'what is tried again'],
      countOption('--limit <count>', 'at most so many', 1000).default(50),
      ['--json', 'print them as JSON'],
    ],
    help: `
Examples:
  portico logout list
  portico logout list --dead --client web-app --json`,
    run: inContext(async (context, options: List) => {
      const { client: clientId, dead, waiting, limit } = options;
      if (dead && waiting) throw new CommandRefused('Give --dead or --waiting, or neither to see both.');
      const only = dead ? false : waiting;
      const deliveries = await context.stores.deliveries.list(context.clock.now(), {
        ...{ clientId, waiting: only, limit },
      });
      sayList(options, deliveries.map(viewOf), {
        row: ({ id, clientId: client, state, tries, nextTry, problem, createdAt: since }) => {
          return { id, client, since, state, tries, next: nextTry, problem };
        },
        nothing: 'Every client has taken what it was told.',
      });
    }),
  }),
  command({
    name: 'show',
    about: 'print one of them',
    argument: ['<delivery>', 'as logout list shows it'],
    options: [['--json', 'print it as JSON']],
    help: 'Example:\n  portico logout show 5d41402abc4b2a76b9719d911017c592',
    run: inContext(async (context, options: JsonOption & { delivery: string }) => {
      sayRecord(options, viewOf(await find(context, options.delivery)));
    }),
  }),
  command({
    name: 'retry',
    about: 'send again what was given up, or at once what waits',
    argument: ['[delivery]', 'as logout list shows it'],
    options: [
      ['--client <id>', 'all that were given up of this client'],
      ['--all', 'all that were given up'],
    ],
    help: `
A server that runs sends it within a second or two, and tries for oidc.backchannelLogout.maximumAge again.

Examples:
  portico logout retry 5d41402abc4b2a76b9719d911017c592
  portico logout retry --client web-app`,
    run: inContext(retry),
  }),
]);

function viewOf({ version: _, dueAt, expiresAt, ...delivery }: DeliveryRecord) {
  const state = dueAt === undefined ? 'dead' : 'waiting';
  return { ...delivery, state, nextTry: dueAt, kept: expiresAt };
}

async function find({ stores, clock }: CommandContext, id: string): Promise<DeliveryRecord> {
  const delivery = await stores.deliveries.byId(id, clock.now());
  if (delivery) return delivery;
  throw new CommandRefused(
    `There is no delivery ${id}: the client has taken it, or it is over. See: portico logout list`,
  );
}

async function retry(context: CommandContext, { delivery, client, all }: Retry): Promise<void> {
  if ([delivery, client, all].filter((given) => given !== undefined).length !== 1) {
    throw new CommandRefused('Give one of: a delivery, --client <id>, --all.');
  }
  let count = 0;
  if (delivery !== undefined) count += await again(context, [await find(context, delivery)]);
  else {
    for (let more = true; more; ) {
      const options = { clientId: client, waiting: false, limit: 500 };
      const dead = await context.stores.deliveries.list(context.clock.now(), options);
      const sent = await again(context, dead);
      count += sent;
      more = sent > 0;
    }
  }
  say(count === 0 ? 'Nothing was given up.' : `${count} of them ${count === 1 ? 'is' : 'are'} sent again.`);
}

/** Resolves with how many became due; another node may have one in its hands. */
async function again(context: CommandContext, deliveries: readonly DeliveryRecord[]): Promise<number> {
  const { stores, clock, config } = context;
  const life = lifeFrom(clock.now(), config.oidc.backchannelLogout.maximumAge);
  let count = 0;
  for (const delivery of deliveries) {
    if (!(await stores.deliveries.update({ ...delivery, ...life, tries: 0 }))) continue;
    count += 1;
    const { id, clientId, organization, accountId: subject } = delivery;
    const named = { subject, ...(organization !== undefined && { organization }) };
    await context.note('logout.retry', { ...named, detail: { delivery: id, client: clientId } });
  }
  return count;
}
