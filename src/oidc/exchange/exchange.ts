/**
 * Token exchange (RFC 8693): the grant type with which a client turns an access token that it was given into one
 * for another API. policy.ts says who may exchange what, admission.ts whether this client may now; subject-token.ts
 * looks the given token up. What is made (for-api.ts, for-dialect.ts) hangs on a child of its Grant
 * (child-grants.ts), and ends with it.
 */
import { type Client, errors } from 'oidc-provider';
import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { defaultApi } from '../apis/resource-indicators.ts';
import { traitsOf } from '../clients/clients.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { possessionOf } from '../extensions/sender-constraints.ts';
import type { ProviderContext } from '../provider/context.ts';
import { admitClient, admitSubject } from './admission.ts';
import type { ExchangeDeps } from './deps.ts';
import { issueForApi } from './for-api.ts';
import { issueForDialect } from './for-dialect.ts';
import { PARAMETERS, readRequest } from './request.ts';

/** Before any client is loaded that names the grant type: the provider would refuse its metadata. */
export function allowTokenExchange(deps: ExchangeDeps): void {
  deps.provider.registerGrantType(TOKEN_EXCHANGE, (ctx) => exchange(deps, ctx), PARAMETERS);
}

async function exchange(deps: ExchangeDeps, ctx: ProviderContext): Promise<void> {
  const { client, params = {} } = ctx.oidc;
  if (client === undefined) throw new errors.InvalidClient('client is invalid');
  const request = readRequest(params);
  const possession = await possessionOf(deps.provider, ctx);
  admitClient(client, possession);
  const target = await targetOf(deps, client, params.resource);
  const downgrade = traitsOf(client).exchangesTo.includes(target);
  const kind = downgrade ? 'dialect' : 'api';
  const asked = { value: request.subjectToken, client, target: kind, possession } as const;
  const admitted = await admitSubject(deps, ctx, asked);
  const { subject } = admitted;
  const { clientId: from, kind: of } = subject;
  notesOf(ctx).exchange = { from, of, target, ...(downgrade && { downgrade }) };
  const issue = downgrade ? issueForDialect : issueForApi;
  await issue(deps, { ctx, client, request, target, possession, ...admitted });
}

/** What the client names, or its default API. */
async function targetOf(deps: ExchangeDeps, client: Client, named: unknown): Promise<string> {
  const target = named === undefined ? (await defaultApi(deps, client))?.identifier : named;
  if (typeof target === 'string' && target !== '') return target;
  throw new errors.InvalidTarget('send resource, or audience: the client has no default API');
}
