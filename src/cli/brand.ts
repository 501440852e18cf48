/** `--brand accent=#1f6f5c`: how the pages of an organization or a client look, by the rules of a seed file. */
import type { Command } from 'commander';
import type { Json } from '../model/json.ts';
import { jsonOrText } from './options.ts';
import { CommandRefused } from './output.ts';

type Branding = Record<string, Json>;

export interface BrandOption {
  readonly brand?: Branding;
}

export function withBrand(command: Command): Command {
  return command.option(
    '--brand <member=value>',
    'how its pages look, such as accent=#1f6f5c; may be given again; null takes a member away',
    brandMember,
  );
}

function brandMember(input: string, before: Branding = {}): Branding {
  const [, member, value] = /^([a-z_]+)=([\s\S]*)$/i.exec(input) ?? [];
  if (member === undefined || value === undefined) {
    throw new CommandRefused(`${input} is not of the form member=value, such as accent=#1f6f5c`);
  }
  // A name such as 24 is a name.
  return { ...before, [member]: /^(?:null|\[.*\])$/s.test(value) ? jsonOrText(value) : value };
}

/** The branding with the changes; undefined when nothing is left of it. CommandRefused names every issue. */
export async function rebranded(
  whose: 'organization' | 'client',
  present: Json | undefined,
  changes: Branding = {},
): Promise<Branding | undefined> {
  const before = typeof present === 'object' && present !== null && !Array.isArray(present) ? present : {};
  const all = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
  if (all.length === 0) return undefined;
  const branding = Object.fromEntries(all);
  if (Object.keys(changes).length === 0) return branding;
  const [{ inWords, parsePart }, { clientBranding, organizationBranding }] = await Promise.all([
    import('../config/issues.ts'),
    import('../seed/branding.ts'),
  ]);
  const schema = whose === 'client' ? clientBranding : organizationBranding;
  const { issues } = parsePart({ schema, value: branding, at: ['brand'], from: () => undefined });
  if (issues.length > 0) throw new CommandRefused(issues.map(inWords).join('\n'));
  return branding;
}
