/**
 * A finished sign-in that its browser comes to again (Back, a reload, a second press): it goes on to the app
 * with a new code, as long as the same sign-in lasts in the browser's session. Where it does not, because the
 * person signed out or another one signed in, the app's request begins anew.
 */
import type Provider from 'oidc-provider';
import type { ProviderMiddleware } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';

type Interaction = InstanceType<Provider['Interaction']>;

export function isOver(interaction: object): boolean {
  return 'over' in interaction && interaction.over === true;
}

export function goOnWithFinished({ provider }: { provider: Provider }): ProviderMiddleware {
  const lasts = async (ctx: Parameters<ProviderMiddleware>[0], { result, session }: Interaction) => {
    // What the person refused, the app is told again.
    if (result?.error !== undefined) return true;
    const { accountId, loginTs } = await provider.Session.get(ctx);
    const login = result?.login;
    if (accountId === undefined || accountId !== (login?.accountId ?? session?.accountId)) return false;
    return login === undefined || login.ts === loginTs;
  };

  return async (ctx, next) => {
    const resumed =
      ctx.path.startsWith(`${ROUTES.authorization}/`) || ctx.path.startsWith(`${ROUTES.code_verification}/`);
    const uid = resumed ? ctx.cookies.get(provider.cookieName('resume')) : undefined;
    const interaction = uid === undefined ? undefined : await provider.Interaction.find(uid);
    if (interaction === undefined || !isOver(interaction) || (await lasts(ctx, interaction))) return next();
    const { deviceCode, params } = interaction;
    const texts = Object.entries(params).filter(
      (each): each is [string, string] => typeof each[1] === 'string',
    );
    const request = `${ROUTES.authorization}?${new URLSearchParams(texts)}`;
    ctx.redirect(deviceCode === undefined ? request : ROUTES.code_verification);
    ctx.status = 303;
  };
}
