import { Command } from 'commander';

export function startCommand(): Command {
  return new Command('start')
    .description('start the server (also: npm start)')
    .addHelpText(
      'after',
      `
Examples:
  portico start                                        development: one file, demo people, a mailbox
  NODE_ENV=production PORTICO_CONFIG=/etc/portico.yaml portico start
`,
    )
    .action(async () => {
      const { serveUntilStopped } = await import('../server/process.ts');
      await serveUntilStopped();
    });
}
