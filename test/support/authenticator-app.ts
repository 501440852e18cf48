/** An authenticator app of a test's person, set up past the pages. */
import { Secret, TOTP } from 'otpauth';
import type { Identity } from '../../src/identity/context.ts';
import { addApp, appSetup, newAppSalt } from '../../src/identity/factors/authenticator-app.ts';

export interface TestApp {
  readonly secret: string;
  readonly salt: string;
  readonly recoveryCodes: readonly string[];
  /** What it shows by the server's clock, or so many steps ahead of it. */
  code(ahead?: number): string;
}

/** What an app shows that was given the secret. */
export function shownBy(secret: string, now: Date, ahead = 0): string {
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  return app.generate({ timestamp: now.getTime() + ahead * 30_000 });
}

/** The step that confirmed it is used: the next code is good only half a minute later, or `ahead` of the clock. */
export async function giveApp(identity: Identity, accountId: string): Promise<TestApp> {
  const salt = newAppSalt();
  const { secret } = appSetup(identity, { accountId, salt, issuer: 'Clinic', label: 'person' });
  const code = (ahead?: number) => shownBy(secret, identity.clock.now(), ahead);
  const context = { address: '192.0.2.1', requestId: 'r-1', clientId: 'portico', channel: 'hosted' };
  const added = await addApp(identity, { accountId, salt, code: code(), context });
  if (typeof added === 'string') throw new Error(`The app was not added: ${added}.`);
  return { secret, salt, recoveryCodes: added.recoveryCodes ?? [], code };
}
