/**
 * The server takes no request objects (OIDC Core 6) and refuses each with `request_not_supported`. A client
 * that sends one has its response mode and its state in there: the refusal goes back in that mode, with that
 * state, or the client cannot read it.
 */
import type { ProviderMiddleware } from './context.ts';
import { ROUTES } from './routes.ts';

/** Of the parameters of an authorization request, those that say how its answer is sent. */
const OF_THE_ANSWER = ['response_mode', 'state'];

export const answerAsRequestObjectAsks: ProviderMiddleware = async (ctx, next) => {
  const { request } = ctx.query;
  if (ctx.path === ROUTES.authorization && typeof request === 'string') {
    const asked = membersOf(request).filter(([name]) => OF_THE_ANSWER.includes(name));
    const inObject = asked.filter((each): each is [string, string] => typeof each[1] === 'string');
    ctx.query = { ...Object.fromEntries(inObject), ...ctx.query };
  }
  return next();
};

function membersOf(requestObject: string): [string, unknown][] {
  const [, payload = ''] = requestObject.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return Object.entries(claims ?? {});
  } catch {
    return [];
  }
}
