/**
 * Authenticator apps (RFC 6238): six digits of the present half minute, or of the one before or after it, since
 * clocks drift. The secret is an HMAC over the account and a salt: the store never holds it.
 */
import { Secret, TOTP } from 'otpauth';
import { randomToken } from '../../core/crypto.ts';
import { readCode } from '../../core/text.ts';
import type { AuthenticatorApp, Factors } from '../../model/factors.ts';
import type { Identity, RequestContext } from '../context.ts';
import { type ChangedFactors, changeFactors } from './change-factors.ts';

/** Steps that the app's clock may be off, either way. */
const DRIFT = 1;
/** Bytes: the length that RFC 4226 recommends. */
const SECRET = 20;

/** Of a set-up that is not confirmed yet. */
export function newAppSalt(): string {
  return randomToken();
}

/** What an app is set up with: by camera, or typed. */
export function appSetup(
  { secrets }: Pick<Identity, 'secrets'>,
  { accountId, salt, issuer, label }: { accountId: string; salt: string; issuer: string; label: string },
): { uri: string; secret: string } {
  const secret = secretOf(secrets, accountId, salt);
  // A colon parts the two in the label.
  const totp = new TOTP({ secret, issuer: issuer.replaceAll(':', ' '), label: label.replaceAll(':', ' ') });
  return { uri: totp.toString(), secret: secret.base32 };
}

/**
 * Adds the app that shows the code. 'wrong': another code. 'there': the account has an app already.
 * Wrong codes are not counted: the page of the set-up shows the secret itself.
 */
export async function addApp(
  identity: Identity,
  { accountId, salt, code, context }: AppCode & { accountId: string; salt: string; context: RequestContext },
): Promise<ChangedFactors | 'wrong' | 'there'> {
  const now = identity.clock.now();
  const step = stepOf(secretOf(identity.secrets, accountId, salt).bytes, code, now);
  if (step === undefined) return 'wrong';
  const app: AuthenticatorApp = { salt, step, createdAt: now.toISOString() };
  const added = await changeFactors(identity, {
    ...{ accountId, context, event: 'factor.add', factor: 'app' },
    change: (factors) => (factors.app === undefined ? { ...factors, app } : null),
  });
  return added ?? 'there';
}

/** The factors with the code's step used; null: the code is wrong, or of a step that was used, or before it. */
export function withStepUsed(
  { secrets, clock }: Pick<Identity, 'secrets' | 'clock'>,
  { accountId, factors, code }: AppCode & { accountId: string; factors: Factors },
): Factors | null {
  const { app } = factors;
  const now = clock.now();
  const step = app && stepOf(secretOf(secrets, accountId, app.salt).bytes, code, now);
  if (app === undefined || step === undefined || step <= app.step) return null;
  return { ...factors, app: { ...app, step, lastUsedAt: now.toISOString() } };
}

/** The time step whose code this is. */
export function stepOf(secret: Uint8Array, code: string, now: Date): number | undefined {
  const totp = new TOTP({ secret: new Secret({ buffer: new Uint8Array(secret).buffer }) });
  const timestamp = now.getTime();
  const delta = totp.validate({ token: readCode(code), timestamp, window: DRIFT });
  return delta === null ? undefined : totp.counter({ timestamp }) + delta;
}

interface AppCode {
  readonly code: string;
}

function secretOf(secrets: Identity['secrets'], accountId: string, salt: string): Secret {
  const hmac = Buffer.from(secrets.hmac('totp', JSON.stringify([accountId, salt])), 'base64url');
  return new Secret({ buffer: new Uint8Array(hmac.subarray(0, SECRET)).buffer });
}
