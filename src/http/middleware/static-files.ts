/**
 * public/, read once at start: a handful of small files, so every answer comes from memory and a path in a
 * URL never becomes a path on the disk. Pages link to a file with its content's hash, and what is asked
 * for by the right hash may be kept for a year.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Middleware } from 'koa';

export interface StaticFiles {
  readonly serve: Middleware;
  /** The address of a file for a page, and what its bytes are checked by there. Throws for a file that is not there. */
  linked(name: string): { readonly address: string; readonly integrity: string };
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
};

/** Files that browsers and crawlers ask for at the root. */
const AT_ROOT: Readonly<Record<string, string>> = {
  '/favicon.ico': 'favicon.svg',
  '/robots.txt': 'robots.txt',
};

/** `packaged`: files of packages, by the name that they are served under. */
export function loadStaticFiles(
  folder: string,
  packaged: Readonly<Record<string, string>> = {},
): StaticFiles {
  const files = new Map<string, { bytes: Buffer; type: string; hash: string; integrity: string }>();
  const keep = (name: string, bytes: Buffer) => {
    const type = TYPES[extname(name)];
    const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
    const integrity = `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
    if (type !== undefined) files.set(name, { bytes, type, hash, integrity });
  };
  for (const name of readdirSync(folder)) keep(name, readFileSync(join(folder, name)));
  for (const [name, path] of Object.entries(packaged)) keep(name, readFileSync(path));
  return {
    linked(name) {
      const file = files.get(name);
      if (file === undefined) throw new Error(`There is no file ${name} in ${folder}.`);
      return { address: `/assets/${name}?v=${file.hash}`, integrity: file.integrity };
    },
    serve(ctx, next) {
      const name = AT_ROOT[ctx.path] ?? (ctx.path.startsWith('/assets/') ? ctx.path.slice(8) : '');
      const file = files.get(name);
      if (file === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
      ctx.state.route = ctx.path;
      ctx.set(
        'Cache-Control',
        ctx.query.v === file.hash ? 'public, max-age=31536000, immutable' : 'public, max-age=300',
      );
      ctx.type = file.type;
      ctx.etag = file.hash;
      ctx.status = 200;
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = file.bytes;
    },
  };
}
