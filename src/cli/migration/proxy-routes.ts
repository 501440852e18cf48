/**
 * The routes of a dialect as a reverse proxy in front of Portico and the legacy system has them: each endpoint of
 * the table to Portico, every other path below the base to the legacy system. Made from the table, as OpenAPI is.
 */
import type { Mount } from '../../dialects/contract/dialect.ts';

export const FORMATS = ['nginx', 'traefik', 'caddy'] as const;
export type Format = (typeof FORMATS)[number];

export interface ProxyRoutes {
  readonly dialect: string;
  readonly mounts: readonly Mount[];
  /** Origins. */
  readonly portico: string;
  readonly legacy: {
    readonly url: string;
    /** Where it is, in place of what its name leads to. */
    readonly address?: string | undefined;
  };
}

/** One location: the patterns (regular expressions without anchors) that go to one place. */
interface Place {
  readonly patterns: readonly string[];
  /** Other methods go to the legacy system. Undefined: all are Portico's. */
  readonly methods?: readonly string[];
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function patternOf(path: string, forms: Readonly<Record<string, RegExp>> = {}): string {
  const segments = path.split('/').map((segment) => {
    if (!segment.startsWith(':')) return escaped(segment);
    const form = forms[segment.slice(1)]?.source.replace(/^\^|\$$/g, '').replaceAll('\\/', '/');
    return form === undefined ? '[^/]+' : `(?:${form})`;
  });
  return segments.join('/');
}

const unique = (texts: readonly string[]) => [...new Set(texts)];

function placesOf(mount: Mount): Place {
  const { base, segments, endpoints, suffixes = [], otherMethods, head } = mount;
  const end = `${suffixes.length > 0 ? `(?:${suffixes.map(escaped).join('|')})?` : ''}/?`;
  const patterns = endpoints.map(
    (endpoint) => `${patternOf(base, segments)}${patternOf(endpoint.path, endpoint.segments)}${end}`,
  );
  if (otherMethods !== 'pass') return { patterns: unique(patterns) };
  const methods = unique(endpoints.map(({ method }) => method));
  return { patterns: unique(patterns), methods: head ? [...methods, 'HEAD'] : methods };
}

/** What goes to the legacy system: everything else below a base that is the dialect's own. */
interface Rest {
  /** Absent: the base has a segment that may be one of several. */
  readonly prefix?: string;
  readonly pattern: string;
}

function restOf(mounts: readonly Mount[]): Rest[] {
  const own = mounts.filter(({ owns, base }) => owns && base !== '');
  return own.map(({ base, segments }) => ({
    pattern: `${patternOf(base, segments)}/.*`,
    ...(!base.includes(':') && { prefix: `${base}/` }),
  }));
}

export function proxyRoutes(format: Format, routes: ProxyRoutes): string {
  const parts = { ...routes, places: routes.mounts.map(placesOf), rest: restOf(routes.mounts) };
  return WRITERS[format](parts);
}

type Parts = ProxyRoutes & { readonly places: readonly Place[]; readonly rest: readonly Rest[] };

const WRITERS: Readonly<Record<Format, (parts: Parts) => string>> = { nginx, traefik, caddy };

function reached({ url, address }: ProxyRoutes['legacy']): { host: string; origin: string; tls: boolean } {
  const { protocol, host } = new URL(url);
  return { host, origin: `${protocol}//${address ?? host}`, tls: protocol === 'https:' };
}

const about = (dialect: string) =>
  `# ${dialect}: its endpoints go to Portico, every other path below its base to the legacy system.
# Made by: portico migration proxy ${dialect}`;

/** A regular expression of several lines, one pattern a line. */
function alternatives(patterns: readonly string[], indent: string): string {
  return `^(?:${patterns.map((pattern) => `\n${indent}  ${pattern}`).join(' |')}\n${indent})$`;
}

/** For a server block: it is included there. */
function nginx({ dialect, places, rest, portico, legacy }: Parts): string {
  const { host, origin, tls } = reached(legacy);
  const name = host.replace(/:\d+$/, '');
  const toPortico = places.map(
    ({ patterns, methods }) => `location ~ "(?x)${alternatives(patterns, '')}" {
  # While no Portico runs, the legacy system answers as before.
  error_page 502 504${methods ? ' 418' : ''} = @${dialect}_legacy;
${methods ? `  if ($request_method !~ "^(?:${methods.join('|')})$") { return 418; }\n` : ''}\
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_pass ${portico};
}`,
  );
  const toLegacy = (location: string) => `location ${location} {
  proxy_set_header Host ${host};
  proxy_set_header X-Forwarded-For $remote_addr;
${
  tls
    ? `  proxy_ssl_server_name on;
  proxy_ssl_name ${name};
  proxy_ssl_verify on;
  proxy_ssl_verify_depth 4;
  proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
`
    : ''
}  proxy_pass ${origin};
}`;
  const others = rest.map(({ prefix, pattern }) => toLegacy(prefix ?? `~ "^${pattern}$"`));
  return [
    about(dialect),
    '# Include it in the server block of the old host name.',
    ...[...toPortico, ...others, toLegacy(`@${dialect}_legacy`)],
  ].join('\n');
}

/** A file of dynamic configuration. */
function traefik({ dialect, places, rest, portico, legacy }: Parts): string {
  const { host, origin } = reached(legacy);
  const rule = (patterns: readonly string[]) =>
    patterns.map((pattern) => `PathRegexp(\`^${pattern}$\`)`).join(' || ');
  const ruleOf = ({ patterns, methods }: Place) =>
    methods === undefined
      ? rule(patterns)
      : `(${rule(patterns)}) && (${methods.map((method) => `Method(\`${method}\`)`).join(' || ')})`;
  const router = (name: string, text: string, priority: number, more: string) => `    ${name}:
      rule: '${text.replaceAll("'", "''")}'
      priority: ${priority}
${more}`;
  return [
    about(dialect),
    'http:',
    '  routers:',
    ...places.map((place, index) =>
      router(`${dialect}-portico-${index + 1}`, ruleOf(place), 1000, `      service: ${dialect}-portico`),
    ),
    ...(rest.length === 0
      ? []
      : [
          router(
            `${dialect}-legacy`,
            rule(rest.map(({ pattern }) => pattern)),
            100,
            `      service: ${dialect}-legacy\n      middlewares: [${dialect}-legacy-host]`,
          ),
        ]),
    `  middlewares:
    ${dialect}-legacy-host:
      headers:
        customRequestHeaders:
          Host: ${host}
  services:
    ${dialect}-portico:
      loadBalancer:
        servers:
          - url: ${portico}
    ${dialect}-legacy:
      loadBalancer:
        serversTransport: ${dialect}-legacy
        servers:
          - url: ${origin}
  serversTransports:
    ${dialect}-legacy:
      serverName: ${host.replace(/:\d+$/, '')}`,
  ].join('\n');
}

/** For a site block: it is imported there. */
function caddy({ dialect, places, rest, portico, legacy }: Parts): string {
  const { host, origin, tls } = reached(legacy);
  const name = host.replace(/:\d+$/, '');
  const matcher = (at: string, patterns: readonly string[], methods?: readonly string[]) => `@${at} {
  path_regexp ^(?:${patterns.join('|')})$
${methods ? `  method ${methods.join(' ')}\n` : ''}}`;
  const toLegacy = `reverse_proxy ${origin} {
    header_up Host ${host}
${tls ? `    transport http {\n      tls_server_name ${name}\n    }\n` : ''}  }`;
  return [
    about(dialect),
    '# Import it in the site block of the old host name; that of a vendor with a longer base first.',
    ...places.flatMap(({ patterns, methods }, index) => [
      matcher(`${dialect}_portico_${index + 1}`, patterns, methods),
      `handle @${dialect}_portico_${index + 1} {\n  reverse_proxy ${portico}\n}`,
    ]),
    ...(rest.length === 0
      ? []
      : [
          matcher(
            `${dialect}_legacy`,
            rest.map(({ pattern }) => pattern),
          ),
          `handle @${dialect}_legacy {\n  ${toLegacy}\n}`,
        ]),
  ].join('\n');
}
