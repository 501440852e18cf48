/** What a client would be refused for, and what an upgrade of Portico changed for it. */
import { isLoopback } from '../../config/kinds.ts';
import {
  type ClientRecord,
  DEVICE_CODE,
  grantsOf,
  servesOrganization,
  servingOf,
} from '../../model/client.ts';
import { textsOf } from '../../model/json.ts';
import { explainProfile } from '../../oidc/profiles/fapi2.ts';
import type { KnownApi } from '../../seed/judge-grants.ts';
import type { CommandContext } from '../context.ts';
import { type JsonOption, sayList } from '../output.ts';

interface Finding {
  readonly client: string;
  /** `refused` and `changed` need a look; a `note` is only told. */
  readonly kind: 'refused' | 'changed' | 'note';
  /** The member of the client that it is about. */
  readonly member: string;
  readonly message: string;
}

type Said = Omit<Finding, 'client'>;

/** Exits with 1 when a client needs a look. */
export async function checkClients(
  context: CommandContext,
  clients: readonly ClientRecord[],
  options: JsonOption,
): Promise<void> {
  const { config, stores } = context;
  const { knownApis } = await import('../../seed/judge-grants.ts');
  const apis = await knownApis({ stores, resources: config.oidc.resources, issuer: config.issuer }, {});
  const findings: Finding[] = [];
  for (const client of clients) {
    const all = [
      ...(await refusals(context, client)),
      ...grants(client, apis),
      ...changes(context, client),
      ...notes(context, client),
    ];
    findings.push(...all.map((said) => ({ client: client.clientId, ...said })));
  }
  sayList(options, findings, { row: (finding) => ({ ...finding }), nothing: 'No client needs a look.' });
  if (findings.some(({ kind }) => kind !== 'note')) process.exitCode = 1;
}

async function refusals({ tools }: CommandContext, client: ClientRecord): Promise<Said[]> {
  const issues = await (await tools()).oidc.judgeClient(client);
  return issues.map(({ path, value, message }) => {
    const is = value === undefined ? '' : `is ${value}: `;
    return { kind: 'refused', member: path, message: is + message };
  });
}

/** Grants that lead nowhere. */
function* grants(client: ClientRecord, apis: ReadonlyMap<string, KnownApi>): Iterable<Said> {
  for (const [identifier, scopes] of Object.entries(grantsOf(client))) {
    const known = apis.get(identifier);
    const missing = scopes.filter((scope) => known?.scopes.includes(scope) === false);
    const member = `apis.${identifier}`;
    const owner = known?.organization;
    if (known === undefined) yield { kind: 'refused', member, message: 'is no API: see portico api list' };
    else if (owner !== undefined && !servesOrganization(servingOf(client), owner))
      yield { kind: 'refused', member, message: `is for clients of the organization ${owner}` };
    else if (missing.length > 0) {
      yield {
        kind: 'refused',
        member,
        message: `has scopes that the API does not have: ${missing.join(' ')}. It has: ${known.scopes.join(' ') || 'none'}`,
      };
    }
  }
  const { default_api: means } = client.metadata;
  if (typeof means === 'string' && !Object.hasOwn(grantsOf(client), means)) {
    yield {
      kind: 'refused',
      member: 'default_api',
      message: 'was not granted: see portico api grant --help',
    };
  }
}

/** What works otherwise than with an older Portico; each tells how to settle it, and how to keep the old way. */
function* changes({ config: { oidc } }: CommandContext, client: ClientRecord): Iterable<Said> {
  const { clientId, organization, metadata } = client;
  const { id_token_signed_response_alg: algorithm, apis, profile } = metadata;
  if (
    (hasGrant(client, 'authorization_code') || hasGrant(client, DEVICE_CODE)) &&
    algorithm === undefined &&
    profile === undefined &&
    oidc.idTokenAlgorithm !== 'ES256'
  ) {
    const message =
      'is not set: ID tokens are signed with RS256, before with ES256. Settle it: ' +
      `portico client set ${clientId} --id-token-alg RS256, or ES256 for the old way`;
    yield { kind: 'changed', member: 'id_token_signed_response_alg', message };
  }
  const closed = oidc.resources.filter(
    (resource) =>
      !resource.open && servesOrganization(servingOf(client), resource.organization ?? organization),
  );
  if (apis === undefined && closed.length > 0) {
    const message =
      `is not set: tokens for ${closed.map(({ identifier }) => identifier).join(', ')} are refused, before every ` +
      'client got them. Grant them (apis of the client in a seed file; {} for none), or set open: true in oidc.resources';
    yield { kind: 'changed', member: 'apis', message };
  }
}

function* notes({ config: { oidc } }: CommandContext, client: ClientRecord): Iterable<Said> {
  const { token_endpoint_auth_method: method, redirect_uris: uris, apis } = client.metadata;
  for (const setting of explainProfile(client.metadata)) yield { kind: 'note', ...setting };
  if (hasGrant(client, 'authorization_code') && (method === 'none' || oidc.pkce === 'all-clients')) {
    const message = 'must send a code_challenge of the method S256 (PKCE)';
    yield { kind: 'note', member: 'token_endpoint_auth_method', message };
  }
  if (
    hasGrant(client, 'authorization_code') &&
    apis === undefined &&
    oidc.resources.some(({ open }) => open)
  ) {
    const message =
      'is not set: beside openid, a client gets the token of an API only where it names it at the token endpoint too ' +
      '(resource), sends audience, or has a default_api';
    yield { kind: 'note', member: 'apis', message };
  }
  const { userinfo_signed_response_alg: signed } = client.metadata;
  if (typeof signed === 'string') {
    const message = `is ${signed}: userinfo is a JWT, where an older Portico answered with JSON`;
    yield { kind: 'note', member: 'userinfo_signed_response_alg', message };
  }
  for (const [place, uri] of textsOf(uris).entries()) {
    const url = URL.parse(uri);
    if (url?.protocol !== 'http:' || isLoopback(url.hostname)) continue;
    const message = `is ${JSON.stringify(uri)}: codes go over the network unencrypted`;
    yield { kind: 'note', member: `redirect_uris.${place}`, message };
  }
}

function hasGrant({ metadata }: ClientRecord, grant: string): boolean {
  return textsOf(metadata.grant_types ?? ['authorization_code']).includes(grant);
}
