/** A client as options describe it becomes a record: by the form of a seed file, and by the judge of its use. */
import { isDeepStrictEqual } from 'node:util';
import type { Issue } from '../../config/issues.ts';
import { randomToken } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import { policyForm, policyIn } from '../../model/factors.ts';
import { textsOf } from '../../model/json.ts';
import { type CommandContext, organizationOf } from '../context.ts';
import { CommandRefused } from '../output.ts';
import type { Members } from './option-kinds.ts';

export interface JudgedClient {
  readonly client: ClientRecord;
  /** Drawn for a client that needs one and has none. */
  readonly secret: string | undefined;
}

/**
 * CommandRefused names every issue. Of a client that is there (`before`), those that it has already do not stand
 * in the way of another change.
 */
export async function judgedClient(
  context: CommandContext,
  members: Members,
  before?: ClientRecord,
): Promise<JudgedClient> {
  const { config, secrets, clock, tools } = context;
  const { issuer } = config;
  const [{ seedSchema }, { clientRecord }] = await Promise.all([
    import('../../seed/schema.ts'),
    import('../../seed/records.ts'),
  ]);
  const needsSecret = /^client_secret/.test(String(members.token_endpoint_auth_method));
  const secret = needsSecret && before?.secretHash === undefined ? randomToken() : undefined;
  const parsed = seedSchema.safeParse({ clients: [{ ...members, client_secret: secret }] });
  if (!parsed.success) {
    throw refused(
      parsed.error.issues.map(({ path, message }) => ({ path: path.slice(2).join('.'), message })),
    );
  }
  const [made] = (parsed.data.clients ?? []).map((seed) =>
    clientRecord(seed, { issuer, secrets, clock, present: before }),
  );
  if (!made) throw refused([]);
  for (const id of textsOf(made.metadata.organizations)) await organizationOf(context, id);
  const client = {
    ...made,
    ...(needsSecret && before && secretsOf(before)),
    ...(before?.registered && { registered: before.registered }),
  };
  const { judgeClient } = (await tools()).oidc;
  const known = before === undefined ? [] : await judgeClient(before);
  const issues = (await judgeClient(client)).filter(
    (issue) => !known.some((present) => isDeepStrictEqual(present, issue)),
  );
  if (issues.length > 0) throw refused(issues);
  return { client, secret };
}

function secretsOf({ secretHash, oldSecret }: ClientRecord) {
  return { ...(secretHash && { secretHash }), ...(oldSecret && { oldSecret }) };
}

/** The client of a record, with the names of a seed file. */
export function membersOf(client: ClientRecord): Members {
  const { clientId, organization, allOrganizations, firstParty, introspects, revokes, metadata } = client;
  const factors = policyIn(metadata);
  return {
    ...metadata,
    ...(factors && { factors: policyForm(factors) }),
    ...{ client_id: clientId, organization, introspects, revokes },
    ...{ all_organizations: allOrganizations, first_party: firstParty },
  };
}

function issueInWords({ path, value, message }: Issue): string {
  const is = value === undefined ? '' : ` is ${value}:`;
  return `${path === '' ? 'the client' : path}${is} ${message}`;
}

function refused(issues: readonly Issue[]): CommandRefused {
  return new CommandRefused(issues.map(issueInWords).join('\n'));
}
