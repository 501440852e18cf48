/** A client's secret is replaced without a pause: the old one goes on until the application has the new one. */
import { randomToken } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { CommandContext } from '../context.ts';
import { CommandRefused, type JsonOption, note, say, sayRecord } from '../output.ts';

const KEPT = '7d';

export interface RotateOptions extends JsonOption {
  readonly keepOld?: string;
  readonly endOld?: boolean;
  readonly dryRun?: boolean;
}

export async function rotateSecret(
  context: CommandContext,
  client: ClientRecord,
  options: RotateOptions,
): Promise<void> {
  const { keepOld, endOld, dryRun } = options;
  if (endOld && keepOld !== undefined) throw new CommandRefused('Say --keep-old or --end-old, not both.');
  refuseSecretless(client);
  if (endOld) return endOldSecret(context, client, options);
  const until = await endOf(context, client, keepOld ?? KEPT);
  if (dryRun) {
    say(`Client ${client.clientId} would get a new secret; the old one would end ${until ?? 'at once'}.`);
    return note('Nothing was written.');
  }
  const clientSecret = randomToken();
  await write(context, 'client-secret.rotate', {
    ...withoutOld(client),
    secretHash: context.secrets.hmac('client-secret', clientSecret),
    ...(until !== undefined && client.secretHash && { oldSecret: { hash: client.secretHash, until } }),
  });
  const once = { name: 'secret', members: { clientSecret } };
  sayRecord(options, { clientId: client.clientId, oldSecretUntil: until }, once);
}

function refuseSecretless({ clientId, secretHash, metadata }: ClientRecord): void {
  if (secretHash !== undefined) return;
  throw new CommandRefused(
    metadata.token_endpoint_auth_method !== 'none'
      ? `${clientId} has keys or certificates of its own, and no secret.`
      : `${clientId} is public and has no secret. Give it one: portico client set ${clientId} --no-public`,
  );
}

/** When the present secret ends; undefined: at once. */
async function endOf(
  { clock }: CommandContext,
  { clientId, oldSecret }: ClientRecord,
  keepOld: string,
): Promise<string | undefined> {
  if (/^0[smhd]?$/.test(keepOld)) return undefined;
  const { duration } = await import('../../config/kinds.ts');
  const parsed = duration.safeParse(keepOld);
  if (!parsed.success) {
    throw new CommandRefused('--keep-old must be 0 or a number with s, m, h or d, such as 24h or 7d');
  }
  const now = clock.now();
  if (oldSecret !== undefined && new Date(oldSecret.until) > now) {
    throw new CommandRefused(
      `${clientId} has two secrets already; the old one ends ${oldSecret.until}. End it before you make a third: ` +
        `portico client rotate-secret ${clientId} --end-old. Or end both at once: --keep-old 0`,
    );
  }
  return new Date(now.getTime() + parsed.data * 1000).toISOString();
}

async function endOldSecret(
  context: CommandContext,
  client: ClientRecord,
  { dryRun }: RotateOptions,
): Promise<void> {
  const { clientId, oldSecret } = client;
  if (oldSecret === undefined || new Date(oldSecret.until) <= context.clock.now()) {
    throw new CommandRefused(
      `${clientId} has one secret only. A new one: portico client rotate-secret ${clientId}`,
    );
  }
  if (dryRun) {
    say(`The old secret of client ${clientId} would end now, instead of ${oldSecret.until}.`);
    return note('Nothing was written.');
  }
  await write(context, 'client-secret.end', withoutOld(client));
  say(`The old secret of client ${clientId} has ended.`);
}

function withoutOld({ oldSecret: _old, ...client }: ClientRecord): ClientRecord {
  return client;
}

async function write(
  { stores, note }: CommandContext,
  event: 'client-secret.rotate' | 'client-secret.end',
  client: ClientRecord,
): Promise<void> {
  await stores.clients.put(client);
  const { organization, clientId, oldSecret } = client;
  const until = oldSecret === undefined ? {} : { oldSecretUntil: oldSecret.until };
  await note(event, { organization, detail: { client: clientId, ...until } });
}
