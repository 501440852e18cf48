/** Initial access tokens: with one, a client registers itself where registration is not open to all (RFC 7591). */
import type { RegistrationLimits } from '../../model/client.ts';
import { command, group } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { countOption, repeated } from '../options.ts';
import { CommandRefused, type JsonOption, say, sayList, sayRecord } from '../output.ts';

interface CreateOptions extends JsonOption {
  readonly organization?: string;
  readonly name?: string;
  readonly uses?: number;
  readonly expires?: string;
  readonly scope?: string[];
  readonly grant?: string[];
  readonly api?: string[];
  readonly redirectHost?: string[];
}

export const registrationTokenCommand = group(
  'registration-token',
  'tokens with which clients register themselves',
  [
    command({
      name: 'create',
      about: 'make a token; it is printed once',
      options: [
        ['--organization <id>', 'whose clients they are (default: oidc.registration.organization)'],
        ['--name <name>', 'to know it again'],
        countOption('--uses <count>', 'how many clients may register with it', 1_000_000),
        ['--expires <time>', 'when it ends, such as 30d (default: 24h)'],
        repeated('--scope <scope>', 'a scope that its clients may register; may be given again'),
        repeated('--grant <type>', 'a grant type that its clients may register; may be given again'),
        repeated(
          '--api <identifier=scopes>',
          'an API that its clients are granted, with scopes in one text; may be given again',
        ),
        repeated(
          '--redirect-host <host>',
          'the only hosts that its clients may lead people to; may be given again',
        ),
        ['--json', 'print the token as JSON'],
      ],
      help: `
Without --uses any number of clients may register until it expires. What is not given is as oidc.registration says.

Examples:
  portico client registration-token create --organization default --name "build server" --uses 1
  portico client registration-token create --expires 30d --redirect-host apps.example.org --scope openid`,
      run: inContext(create),
    }),
    command({
      name: 'list',
      about: 'print the tokens that still work, without the tokens themselves',
      options: [['--json', 'print them as JSON']],
      help: 'Example:\n  portico client registration-token list',
      run: inContext(async ({ tools }, options: JsonOption) => {
        const { tokens } = (await tools()).oidc.registrations;
        sayList(options, await tokens.list(), {
          row: ({ id, name, organization, uses, expiresAt: ends, limits }) => ({
            ...{ id, name, organization, uses: uses ?? 'any', ends, limits },
          }),
          nothing:
            'There are no registration tokens. Make one: portico client registration-token create --help',
        });
      }),
    }),
    command({
      name: 'revoke',
      about: 'end a token; the clients that registered with it stay',
      argument: ['<id>', 'as registration-token list shows it'],
      help: 'Example:\n  portico client registration-token revoke 5f0c9a7b5e3d2c4b',
      run: inContext(async ({ tools, note }, { id }: { id: string }) => {
        const { tokens } = (await tools()).oidc.registrations;
        const token = (await tokens.list()).find((each) => each.id === id);
        if (token === undefined || !(await tokens.revoke(id))) {
          throw new CommandRefused(
            `There is no registration token ${id}. See: portico client registration-token list`,
          );
        }
        await note('registration-token.revoke', { organization: token.organization, detail: { token: id } });
        say(`Registration token ${id} is revoked.`);
      }),
    }),
  ],
);

async function create(context: CommandContext, options: CreateOptions): Promise<void> {
  const { registration } = context.config.oidc;
  const { organization = registration.organization, name, uses, expires = '24h' } = options;
  if (registration.mode === 'off') {
    throw new CommandRefused(
      'Registration is off. Set oidc.registration.mode to token, and restart the server.',
    );
  }
  if (organization === undefined) throw new CommandRefused('Say whose clients they are: --organization <id>');
  await organizationOf(context, organization);
  const { duration } = await import('../../config/kinds.ts');
  const lifetime = duration.safeParse(expires);
  if (!lifetime.success) throw new CommandRefused('--expires must be a time such as 24h or 30d');
  const limits = limitsOf(options);
  const { tokens } = (await context.tools()).oidc.registrations;
  const { value, token } = await tokens.create({
    ...{ organization, lifetime: lifetime.data },
    ...(name !== undefined && { name }),
    ...(uses !== undefined && { uses }),
    ...(Object.keys(limits).length > 0 && { limits }),
  });
  await context.note('registration-token.create', { organization, detail: { token: token.id } });
  sayRecord(options, token, { name: 'token', members: { token: value } });
}

function limitsOf({ scope, grant, api, redirectHost }: CreateOptions): RegistrationLimits {
  return {
    ...(scope && { scopes: scope }),
    ...(grant && { grantTypes: grant }),
    ...(api && { apis: Object.fromEntries(api.map(grantedApi)) }),
    ...(redirectHost && { redirectHosts: redirectHost }),
  };
}

/** `https://mcp.example.org/mcp=tools:call tools:list`. The identifier may have an equals sign, a scope has none. */
function grantedApi(given: string): [identifier: string, scopes: string[]] {
  const [, identifier, scopes = ''] = /^(.+)=([^=]+)$/.exec(given) ?? [];
  if (identifier === undefined) {
    throw new CommandRefused(
      `${given} is not of the form identifier=scopes, such as https://api.example.org=read`,
    );
  }
  return [identifier, scopes.split(/[\s,]+/).filter((scope) => scope !== '')];
}
