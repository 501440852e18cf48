/** The ordinary refresh of a sign-in: the presented token is used once, and its successor has the same scopes. */
import type { Client } from 'oidc-provider';
import { traitsOf } from '../clients/clients.ts';
import { sharedReply } from '../extensions/refresh-grant.ts';
import { OPAQUE } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { isUnusual, madeFrom, signInOf } from './made-tokens.ts';
import type { Asked } from './token.ts';

const GRANT = 'refresh_token';

export async function refreshed({ request, form, client }: Asked, deps: FastPathDeps) {
  const { refresh_token: value = '', scope, resource } = form;
  if (scope !== undefined || resource !== undefined) return undefined;
  const live = await liveRefreshToken(value, client, deps);
  if (live === undefined) return undefined;
  const { account, source: used } = live;
  const { gty: before = '', rotations = 0, iiat } = used;
  const gty = before.endsWith(GRANT) ? before : `${before} ${GRANT}`;
  const refresh = { iiat, rotations: rotations + 1 };
  const { reply, successors } = await madeFrom({ ...live, gty, family: familyOf(used), refresh }, deps);
  const rotated = { successors, reply: sharedReply({ request: {}, reply }), leeway: deps.leeway };
  // Where another request was faster the provider's grant knows what this one is told.
  if (!(await deps.rotations.rotate(value, rotated))) return undefined;
  deps.line({ req: request, oidc: { client, account } }, 'token.refreshed', 'success', { grantType: GRANT });
  return reply;
}

/** With what hangs on it; undefined for one that is refused, and for one with something unusual. */
async function liveRefreshToken(value: string, client: Client, deps: FastPathDeps) {
  const traits = traitsOf(client);
  if (!OPAQUE.test(value) || !traits.rotatesRefreshTokens) return undefined;
  if (client.idTokenEncryptedResponseAlg) return undefined;
  const used = await deps.models.findRefreshToken(value);
  if (used === undefined || used.isExpired || used.isSenderConstrained() || isUnusual(used)) return undefined;
  return signInOf(used, client, deps);
}

function familyOf(token: object): string | undefined {
  const { family }: { family?: string } = token;
  return family;
}
