/**
 * What the folder of an upstream exports, and the upstream that comes of it. The kind says what is the
 * provider's own; create-upstream.ts does the rest, which is the same for all.
 */
import { z } from 'zod';
import { key, table, text, upstreamIssuer } from '../../config/kinds.ts';
import type { UpstreamSpec } from './create-upstream.ts';
import type { IdTokenClaims, IdTokenRules } from './id-token.ts';
import type { Endpoints } from './jwks.ts';
import type { RedirectOptions } from './redirect-sign-in.ts';
import type { Upstream } from './upstream.ts';

/** Keys below `federation.<name>` that every upstream has. */
export interface CommonSettings extends Endpoints {
  readonly enabled: boolean;
  readonly clientId?: string | undefined;
  readonly issuer: string;
  readonly audiences: readonly string[];
}

export interface UpstreamKind<Settings extends CommonSettings>
  extends Pick<Upstream, 'name' | 'title' | 'logo'>,
    Pick<RedirectOptions, 'scope' | 'parameters' | 'againParameters'>,
    Pick<IdTokenRules, 'truthAsText'>,
    Pick<UpstreamSpec, 'namesOf' | 'revokes' | 'readNotice'> {
  readonly settings: z.ZodType<Settings>;
  /** Where the upstream's documentation says that it answers: what its discovery document says is not asked. */
  readonly documented?: Endpoints;
  /** The upstream's spellings of `iss`; default: its issuer alone. */
  issuers?(issuer: string): readonly string[];
  /** Whether the upstream speaks for the address that it names. */
  authoritative(claims: IdTokenClaims): boolean;
  /** Its client secret, asked at each exchange. Undefined: the redirect sign-in is not configured. */
  clientSecret(settings: Settings): ((now: Date) => Promise<string | undefined>) | undefined;
}

export interface UpstreamPlugIn {
  readonly name: string;
  /** zod shape of `federation.<name>`. */
  readonly settings: z.ZodType;
  /** Those that are switched on. */
  specs(settings: unknown): readonly UpstreamSpec[];
}

const KNOWN = 'Default: the documented address of the default issuer; of another one, what discovery says.';
/** A new one each time: what a key is for is noted on its schema. */
const endpoint = () => upstreamIssuer.optional();

/**
 * `federation.<name>` with the keys that every upstream has, and its own. `clientIdAt`: what the provider calls a
 * client id. `needed`: keys that must be set beside any of the keys of `beside`.
 */
export function defineSettings<Own extends z.ZodRawShape>(
  of: Record<'name' | 'title' | 'clientIdAt' | 'issuer', string>,
  own: Own,
  { beside, needed }: Record<'beside' | 'needed', readonly string[]>,
) {
  const { name, title, clientIdAt, issuer } = of;
  return table({
    enabled: key(z.boolean().default(false), `Offer and accept ${title}.`),
    clientId: key(text.optional(), `${clientIdAt} at ${title}; needed for the redirect sign-in.`),
    ...own,
    issuer: key(
      upstreamIssuer.default(issuer),
      'What its ID tokens name as `iss`. Discovery begins here for what is not known of the three below.',
    ),
    authorizationEndpoint: key(endpoint(), `Where ${title} signs people in. ${KNOWN}`),
    tokenEndpoint: key(endpoint(), `Where ${title} exchanges codes. ${KNOWN}`),
    jwksUri: key(endpoint(), `Where ${title} publishes its signing keys. ${KNOWN}`),
    audiences: key(
      z.array(text).default([]),
      'Client ids, besides clientId, whose ID tokens are accepted at the dialects’ social sign-in (usually the mobile apps’).',
    ),
  }).superRefine((settings: Readonly<Record<string, unknown>>, context) => {
    const { enabled, clientId, audiences } = settings;
    if (enabled !== true) return;
    const demand = (at: string, why: string) =>
      context.addIssue({ code: 'custom', path: [at], message: `must be set ${why}` });
    if (clientId === undefined && String(audiences) === '') {
      demand('clientId', `(or federation.${name}.audiences) to enable ${name}`);
    }
    const given = beside.find((at) => settings[at] !== undefined);
    for (const at of given === undefined ? [] : needed) {
      if (settings[at] === undefined) demand(at, `beside federation.${name}.${given}`);
    }
  });
}

export function defineUpstream<Settings extends CommonSettings>(
  kind: UpstreamKind<Settings>,
): UpstreamPlugIn {
  return {
    name: kind.name,
    settings: kind.settings,
    specs(raw) {
      const settings = kind.settings.parse(raw);
      return settings.enabled ? [specOf(kind, settings)] : [];
    },
  };
}

function specOf<Settings extends CommonSettings>(
  kind: UpstreamKind<Settings>,
  settings: Settings,
): UpstreamSpec {
  const { clientId, issuer, audiences } = settings;
  const ownIssuer = kind.settings.parse({}).issuer;
  const documented = issuer === ownIssuer ? kind.documented : {};
  const { authorizationEndpoint, tokenEndpoint, jwksUri, revocationEndpoint } = {
    ...documented,
    ...settings,
  };
  const endpoints = { authorizationEndpoint, tokenEndpoint, jwksUri, revocationEndpoint };
  const spellings = kind.issuers?.(issuer) ?? [issuer];
  const secret = kind.clientSecret(settings);
  const { name, title, logo, namesOf, revokes, readNotice } = kind;
  const { truthAsText, scope, parameters = {}, againParameters = {} } = kind;
  return {
    ...{ name, title, logo, audiences, namesOf, revokes, readNotice },
    domains: [],
    issuers: [issuer, ownIssuer],
    published: { issuer, endpoints },
    rules: {
      issuers: new Map(spellings.map((spelling) => [spelling, issuer])),
      truthAsText: truthAsText === true,
    },
    vouches: (claims) => ({
      emailVerified: claims.emailVerified,
      authoritative: kind.authoritative(claims),
    }),
    client:
      clientId === undefined || secret === undefined
        ? undefined
        : { clientId, scope, parameters, againParameters, authenticate: bySecret(secret) },
  };
}

function bySecret(secretAt: (now: Date) => Promise<string | undefined>): RedirectOptions['authenticate'] {
  return async (openid, now) => {
    const secret = await secretAt(now);
    return secret === undefined ? openid.None() : openid.ClientSecretPost(secret);
  };
}
