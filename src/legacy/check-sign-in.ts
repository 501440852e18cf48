/** One sign-in at a legacy system: whether the person would be taken over, and how its token differs from Portico's. */
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { AccountView } from '../dialects/contract/endpoint.ts';
import { jwtClaims } from '../dialects/runtime/jwt-claims.ts';
import type { MigratingDialect } from '../dialects/runtime/mounted.ts';
import type { RequestContext } from '../identity/context.ts';
import type { ConfirmedPerson, LegacySystem } from '../identity/legacy-systems.ts';
import { type Finding, failed, ok, warning } from './check.ts';

/** Signs one person in there and out again. Changes nothing here. */
export async function checkSignIn(options: {
  readonly mounted: MigratingDialect;
  readonly system: LegacySystem;
  readonly organization: OrganizationView;
  readonly issuer: string;
  readonly credentials: { readonly login: string; readonly password: string };
  readonly context: RequestContext;
}): Promise<Finding[]> {
  const { system, credentials, context } = options;
  const answer = await system.signIn?.(credentials, context);
  if (answer === undefined) return [failed('sign-in', 'this vendor’s API has no sign-in with a password')];
  if (answer === 'no') return [failed('sign-in', 'it refuses this login with this password')];
  if ('away' in answer) return [failed('sign-in', answer.away)];
  const { vendorId, account } = answer.yes;
  const id = vendorId === undefined ? 'shows no id: the address has to do' : `shows the id ${vendorId}`;
  const members = Object.keys({ ...account.claims, ...account.vendor }).join(', ');
  const token = answer.tokens?.access?.value;
  return [
    ok('sign-in', `the person would be taken over; it ${id}, and ${members || 'nothing more'}`),
    ...(token === undefined
      ? [warning('twin', 'the sign-in gave no token')]
      : twin(token, answer.yes, options)),
  ];
}

/** How a token of the legacy system differs from one of Portico's for the same person. Neither is shown. */
function twin(
  token: string,
  person: ConfirmedPerson,
  { mounted, organization, issuer }: Parameters<typeof checkSignIn>[0],
): Finding[] {
  const { dialect, settings } = mounted;
  const { tokens } = dialect;
  const claims = jwtClaims(token);
  const theirs = Object.keys(claims).length === 0 ? undefined : claims;
  const fits = dialect.legacy?.tokenForm.test(token);
  const form = fits ? [] : [failed('twin: form', 'the token is not of the form that is asked about')];
  if (theirs === undefined || tokens.access !== 'jwt') {
    if (theirs === undefined && tokens.access !== 'jwt') return [...form, ok('twin', 'both are opaque')];
    const says = theirs === undefined ? 'opaque there, a JWT here' : 'a JWT there, opaque here';
    return [...form, warning('twin', `${says}: a service that reads tokens needs introspection`)];
  }
  const secret = tokens.sharedSecret?.(settings);
  const alg = secret === undefined ? 'ES256' : 'HS256';
  const [headerPart = ''] = token.split('.');
  const header = jwtClaims(`.${headerPart}.`);
  const ours: Record<string, unknown> = {
    ...{
      iss: issuer,
      aud: tokens.audience(settings, issuer),
      client_id: mounted.clientId,
      scope: tokens.scope,
    },
    ...{ sub: '', jti: '', iat: 0, exp: tokens.accessLifetime(settings) },
    ...tokens.claims({ account: viewOf(person), organization, settings }),
  };
  const names = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  const findings = [...names].flatMap((name) => differenceOf(name, theirs[name], ours[name]));
  const lives = Number(theirs.exp) - Number(theirs.iat);
  return [
    ...form,
    header.alg === alg
      ? ok('twin: alg', `${alg} at both`)
      : warning('twin: alg', `${String(header.alg)} there, ${alg} here: services need the other key`),
    ...findings,
    ...(Number.isFinite(lives) && lives !== ours.exp
      ? [warning('twin: lifetime', `${lives} s there, ${String(ours.exp)} s here`)]
      : []),
  ];
}

/** Claims whose value is another in each token. */
const DRAWN = new Set(['jti', 'iat', 'exp', 'nbf']);
/** Claims whose value says nothing about a person. */
const SHOWN = new Set(['iss', 'aud', 'scope', 'client_id']);

function differenceOf(name: string, theirs: unknown, ours: unknown): Finding[] {
  const check = `twin: ${name}`;
  if (ours === undefined) return [warning(check, 'there, and not here')];
  if (theirs === undefined) return [ok(check, 'here, and not there')];
  if (kindOf(theirs) !== kindOf(ours))
    return [warning(check, `${kindOf(theirs)} there, ${kindOf(ours)} here`)];
  if (DRAWN.has(name) || JSON.stringify(theirs) === JSON.stringify(ours)) return [];
  const values = SHOWN.has(name) ? `: ${String(theirs)} there, ${String(ours)} here` : '';
  return [warning(check, `another value${values}`)];
}

const kindOf = (value: unknown) => (Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value);

function viewOf({ organization, vendorId = '', account }: ConfirmedPerson): AccountView {
  const now = new Date();
  return {
    ...{ id: '', organization, status: 'active', emailVerified: true, hasPassword: true, roles: [] },
    ...(account.email !== undefined && { email: account.email }),
    ...{ hasFactor: false, claims: account.claims ?? {}, alias: vendorId, vendor: account.vendor ?? {} },
    ...{ createdAt: now, updatedAt: now },
  };
}
