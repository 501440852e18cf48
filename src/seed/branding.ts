/** How pages look and what they offer, as an organization or a client has it for itself (docs/hosted-pages.md). */
import { z } from 'zod';
import type { Issue } from '../config/issues.ts';

const line = z
  .string()
  .min(1, 'must not be empty')
  .max(512, 'must have 512 characters or fewer')
  .refine((value) => !/\p{Cc}/u.test(value) && value.isWellFormed(), {
    message: 'must not contain control characters',
  });
const page = line.refine((value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ''), {
  message: 'must be an address of the web, https://... or http://...',
});

const brand = {
  name: line.optional(),
  logo: page.optional(),
  /** For dark schemes, where it is another one. */
  logo_dark: page.optional(),
  accent: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #1f6f5c')
    .optional(),
  support: page.optional(),
  privacy: page.optional(),
  terms: page.optional(),
};

/** How a sign-in page begins: with both fields, or with the name alone. */
export const beginning = z.enum(['password', 'name-first']);

export const organizationBranding = z.strictObject({
  ...brand,
  sign_in: beginning.optional(),
  /** The ways to sign in that are offered, of those that work; without it all of them. */
  ways: z.array(line).optional(),
});

export const clientBranding = z.strictObject(brand);

/** Ways that no page has. `upstreams`: those that the configuration knows. */
export function* issuesOfWays(
  ways: unknown,
  { upstreams, path }: { upstreams: readonly string[]; path: string },
): Iterable<Issue> {
  const known = ['password', 'code', 'passkey', ...upstreams];
  for (const [place, way] of (Array.isArray(ways) ? ways : []).entries()) {
    if (known.includes(way)) continue;
    yield {
      path: `${path}.${place}`,
      value: JSON.stringify(way),
      message: `must be ${known.join(' or ')}`,
    };
  }
}
