import { command, group } from '../command.ts';
import { CommandRefused, type JsonOption, sayList } from '../output.ts';

const JSON_OPTION = ['--json', 'print it as JSON'] as const;

export const upstreamCommand = group('upstream', 'identity providers that people sign in with', [
  command({
    name: 'list',
    about: 'print the upstreams that are switched on, each with the addresses to register there',
    options: [JSON_OPTION],
    help: 'Example:\n  portico upstream list',
    async run(options: JsonOption) {
      const { config, specs } = await configured();
      const { callbacksOf } = await import('../../server/callbacks.ts');
      const callbacks = await callbacksOf(config);
      const upstreams = specs.map(({ name, title, issuers, domains, audiences }) => ({
        ...{ name, title, issuers, domains, audiences },
        callbacks: callbacks.filter(({ upstream }) => upstream === name).map(({ callback }) => callback),
      }));
      sayList(options, upstreams, {
        row: ({ name, title, issuers, callbacks }) => ({ name, title, issuers, callbacks }),
        nothing: 'No upstream is switched on. docs/upstreams.md says how to add one.',
      });
    },
  }),
  command({
    name: 'check',
    about: 'ask an upstream whether people could sign in with it; changes nothing',
    argument: ['<name>', 'as it stands in the configuration'],
    options: [JSON_OPTION],
    help: `
discovery   does it publish the issuer that is configured, and where it answers?
keys        does it publish keys that ID tokens may be signed with?
clock       does it agree with this server's?
secret      does it take the client and its secret? No upstream tells when the secret ends: where an entry
            of federation.openid says it (clientSecretExpires), this warns 30 days before
Exits with 1 when something failed.

Examples:
  portico upstream check google
  portico upstream check clinic --json`,
    async run({ name, ...options }: JsonOption & { name: string }) {
      const { config, specs } = await configured();
      const spec = specs.find((each) => each.name === name);
      if (spec === undefined) {
        const all = specs.map((each) => each.name).join(', ') || 'none';
        throw new CommandRefused(`No upstream ${name} is switched on. There are: ${all}.`);
      }
      const [{ checkUpstream }, { createCappedFetch }, { callbackOf }] = await Promise.all([
        import('../../federation/protocol/check-upstream.ts'),
        import('../../federation/protocol/fetch.ts'),
        import('../../federation/protocol/upstream.ts'),
      ]);
      const callback = callbackOf(config.issuer, name);
      const findings = await checkUpstream(spec, { fetch: createCappedFetch(), callback, now: new Date() });
      sayList(options, findings, { row: (finding) => ({ ...finding }), nothing: 'Nothing was checked.' });
      if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1;
    },
  }),
]);

async function configured() {
  const [{ loadConfiguration }, { upstreamSpecs }] = await Promise.all([
    import('../../server/configuration.ts'),
    import('../../federation/registry.ts'),
  ]);
  const config = await loadConfiguration();
  return { config, specs: await upstreamSpecs(config) };
}
