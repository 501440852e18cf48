/** A Portico with a legacy system behind it, and the port by which identity asks. */
import type { LegacySystem as Asked, LegacyAnswer } from '../../src/identity/legacy-systems.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';

export const CONTEXT = {
  ...{ address: '203.0.113.7', requestId: 'r-1', clientId: 'visitnote-legacy', channel: 'visitnote' },
};

export interface LegacyWorldOptions extends Pick<TestServerOptions, 'clock'> {
  /** Below `dialects.<name>.legacy`. */
  readonly legacy?: Record<string, unknown>;
  readonly dialect?: string;
  readonly system?: LegacySystem;
}

export async function startWithLegacy({
  legacy,
  dialect = 'visitnote',
  system: given,
  clock,
}: LegacyWorldOptions = {}): Promise<{
  server: TestServer;
  system: LegacySystem;
  ask(organization?: string): Promise<Asked>;
  close(): Promise<void>;
}> {
  const system = given ?? (await startLegacySystem());
  const table = { url: system.url, stage: 'primary', timeout: '2s', rate: '1000/1s', ...legacy };
  const server = await startTestServer({
    config: {
      dialects: { [dialect]: { legacy: table } },
      // The legacy system cannot be asked about people who sign in with Google at AVYCENNA.
      ...(dialect === 'avycenna' && { federation: { google: { enabled: false } } }),
    },
    ...(clock && { clock }),
  });
  return {
    ...{ server, system },
    async ask(organization = 'default') {
      const [first] = await server.running.identity.legacy.asked(organization, dialect);
      if (first === undefined) throw new Error('no legacy system is asked');
      return first;
    },
    async close() {
      await server.close();
      if (given === undefined) await system.close();
    },
  };
}

/** 'yes', 'no', or why it is away. */
export function kindOf(answer: LegacyAnswer | undefined): string {
  if (answer === undefined || answer === 'no') return answer ?? 'absent';
  return 'yes' in answer ? 'yes' : `away: ${answer.away}`;
}
