/** Which consent a person has already given a client: in this browser session, or remembered with the account. */
import type Provider from 'oidc-provider';
import type { Grant } from 'oidc-provider';
import { type Allowed, type Consents, isNothing, NOTHING } from '../access/consents.ts';
import { narrowToPerson } from '../apis/resource-indicators.ts';
import { traitsOf } from '../clients/clients.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';

/**
 * The provider's loadExistingGrant. First-party clients need no consent page: their grant is made here, and
 * widened when they ask for more. Others get here what their person has allowed them before, of what they
 * ask for now. A grant that would end before a refresh token made under it is extended, because the person
 * is present. `lifetimes`: seconds.
 */
export function createGrantLoader(
  lifetimes: { refreshToken: number; grant: number },
  deps: { consents: Pick<Consents, 'recall'> } & Parameters<typeof narrowToPerson>[0],
) {
  return async function loadExistingGrant(ctx: ProviderContext): Promise<Grant | undefined> {
    const { provider, session, client, account } = ctx.oidc;
    if (!session || !client || !account) return undefined;
    await narrowToPerson(deps, ctx);
    const { accountId } = account;
    const { clientId } = client;
    notesOf(ctx).keptAtLogout = session.authorizationFor(clientId)?.persistsLogout === true;
    const grantId = ctx.oidc.result?.consent?.grantId ?? session.grantIdFor(clientId);
    const stored = await findGrant(provider, grantId, accountId);
    const missing = missingIn(ctx, stored);
    const { firstParty } = traitsOf(client);
    const recall = async () =>
      mayRecall(ctx) ? deps.consents.recall(accountId, clientId, missing) : NOTHING;
    const added = firstParty ? missing : await recall();
    if (!stored && !firstParty && isNothing(added)) return undefined;
    const grant = stored ?? new provider.Grant({ accountId, clientId });
    addTo(grant, added);
    const extended = extend(grant, lifetimes);
    if (!stored || extended || !isNothing(added)) await grant.save();
    return grant;
  };
}

async function findGrant(
  provider: Provider,
  grantId: string | undefined,
  accountId: string,
): Promise<Grant | undefined> {
  const grant = grantId ? await provider.Grant.find(grantId) : undefined;
  return grant?.accountId === accountId ? grant : undefined;
}

/**
 * Not where the page is shown anyway (prompt=consent), so that it names all that is asked for. And not for a
 * device: its code may come from an attacker elsewhere who waits for an unattended yes (RFC 8628, 5.4).
 */
function mayRecall(ctx: ProviderContext): boolean {
  const route = routeOf(ctx);
  return (route === 'authorization' || route === 'resume') && !ctx.oidc.promptPending('consent');
}

/** What the provider's consent prompt would find missing. */
function missingIn(ctx: ProviderContext, grant: Grant | undefined): Allowed {
  const { requestParamOIDCScopes, requestParamClaims, requestParamScopes, resourceServers = {} } = ctx.oidc;
  const lacks = (asked: Iterable<string>, has: readonly string[] | string = []) => {
    const present = new Set(typeof has === 'string' ? has.split(' ') : has);
    return [...asked].filter((name) => !present.has(name));
  };
  return {
    scopes: lacks(requestParamOIDCScopes, grant?.getOIDCScopeEncountered()),
    claims: lacks(requestParamClaims, grant?.getOIDCClaimsEncountered()),
    resources: Object.fromEntries(
      Object.entries(resourceServers).map(([resource, server]) => [
        resource,
        lacks(
          [...requestParamScopes].filter((scope) => server.scopes.has(scope)),
          grant?.getResourceScopeEncountered(resource),
        ),
      ]),
    ),
  };
}

function extend(grant: Grant, lifetimes: { refreshToken: number; grant: number }): boolean {
  const now = Math.floor(Date.now() / 1000);
  if (grant.exp === undefined || grant.exp - now >= lifetimes.refreshToken) return false;
  grant.exp = now + lifetimes.grant;
  return true;
}

/** Grants all that an interaction's client asked for, and stores it. Resolves with the grant's id. */
export async function grantWhatIsMissing(
  provider: Provider,
  context: { accountId: string; clientId: string; grantId: string | undefined; missing: Allowed },
): Promise<string> {
  const { accountId, clientId, grantId, missing } = context;
  const stored = await findGrant(provider, grantId, accountId);
  const grant = stored?.clientId === clientId ? stored : new provider.Grant({ accountId, clientId });
  addTo(grant, missing);
  return grant.save();
}

function addTo(grant: Grant, { scopes, claims, resources }: Allowed): void {
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '));
  if (claims.length > 0) grant.addOIDCClaims([...claims]);
  for (const [resource, names] of Object.entries(resources)) {
    if (names.length > 0) grant.addResourceScope(resource, names.join(' '));
  }
}
