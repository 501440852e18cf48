/**
 * What a browser sends after it asked an authenticator, judged by @simplewebauthn/server (W3C WebAuthn level 3, 7.1
 * and 7.2). The library takes 5 MB, so it is loaded when the first response comes: what a page asks a browser with
 * is plain data (passkeys.ts). Attestation is not asked for: which maker's authenticator people use is their choice.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Passkey } from '../../model/factors.ts';
import type { Identity } from '../context.ts';

/**
 * Why a response is refused. `expired`: it answers another page than the last; `unverified`: the authenticator did
 * not ask who is there; `counter-back`: its counter did not move on, so there may be a copy of it.
 */
export type PasskeyRefusal = RegistrationRefusal | 'unknown' | 'counter-back';
export type RegistrationRefusal = 'expired' | 'unverified' | 'wrong';

/** EdDSA, ES256, RS256: what authenticators have. */
export const ALGORITHMS = [-8, -7, -257];

/** Whom authenticators keep passkeys for: a host, and the one origin that may ask. */
export interface RelyingParty {
  readonly rpId: string;
  readonly origin: string;
}

/** Undefined: the issuer is at an IP address, for which browsers make no passkeys. */
export function relyingPartyOf({ issuer }: Pick<Identity, 'issuer'>): RelyingParty | undefined {
  const { hostname, origin } = new URL(issuer);
  return /^[\d.]+$|^\[/.test(hostname) ? undefined : { rpId: hostname, origin };
}

/** What both ceremonies are judged by. */
interface Expected extends RelyingParty {
  /** Base64url. */
  readonly challenge: string;
  readonly text: string;
}

/** A passkey that an authenticator has made. */
export type MadePasskey = Omit<Passkey, 'name' | 'createdAt' | 'lastUsedAt'>;

export async function judgeRegistration(
  expected: Expected,
): Promise<{ refused: RegistrationRefusal } | { made: MadePasskey }> {
  const sent = readResponse(expected.text);
  if (sent === undefined) return { refused: 'wrong' };
  if (sent.challenge !== expected.challenge) return { refused: 'expired' };
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const response: RegistrationResponseJSON = {
    ...sent.credential,
    response: { ...sent.texts, transports: sent.transports },
  };
  const { verified, registrationInfo: info } = await verifyRegistrationResponse({
    ...{ response, expectedChallenge: expected.challenge },
    ...{ expectedOrigin: expected.origin, expectedRPID: expected.rpId },
    requireUserVerification: false,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch(() => ({ verified: false, registrationInfo: undefined }));
  if (!verified || info === undefined || info.credential.id !== sent.credential.id)
    return { refused: 'wrong' };
  if (!info.userVerified) return { refused: 'unverified' };
  return {
    made: {
      id: info.credential.id,
      publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
      counter: info.credential.counter,
      transports: sent.transports,
      backupEligible: info.credentialDeviceType === 'multiDevice',
      backedUp: info.credentialBackedUp,
    },
  };
}

/** What an authenticator has signed. */
export interface Assertion {
  readonly userVerified: boolean;
  readonly counter: number;
  readonly backedUp: boolean;
}

/** `passkey`: the one that the response names. Its counter is judged by the caller, where it is compared and set. */
export async function judgeAssertion(
  expected: Expected & { passkey: Passkey },
): Promise<{ refused: PasskeyRefusal } | { assertion: Assertion }> {
  const { passkey, text, challenge } = expected;
  const sent = readResponse(text);
  if (sent === undefined) return { refused: 'wrong' };
  if (sent.challenge !== challenge) return { refused: 'expired' };
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  const response: AuthenticationResponseJSON = { ...sent.credential, response: sent.texts };
  const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
    ...{ response, expectedChallenge: challenge },
    ...{ expectedOrigin: expected.origin, expectedRPID: expected.rpId },
    // The library would look at the counter before the signature: anyone could make it look gone back.
    credential: {
      id: passkey.id,
      publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
      counter: 0,
    },
    requireUserVerification: false,
  }).catch(() => ({ verified: false, authenticationInfo: undefined }));
  if (!verified || info === undefined) return { refused: 'wrong' };
  // 7.2, 19: what may be copied was so from the start.
  if ((info.credentialDeviceType === 'multiDevice') !== passkey.backupEligible) return { refused: 'wrong' };
  return {
    assertion: {
      userVerified: info.userVerified,
      counter: info.newCounter,
      backedUp: info.credentialBackedUp,
    },
  };
}

/** The credential's id and the user handle that a response names; undefined: it is none. */
export function namedIn(text: string): { id: string; userHandle: string | undefined } | undefined {
  const sent = readResponse(text);
  return sent && { id: sent.credential.id, userHandle: sent.texts.userHandle };
}

/** Nothing but texts, so that the library meets no shape that it does not know. */
function readResponse(text: string) {
  const { id, rawId, type, response } = objectIn(text);
  if (typeof id !== 'string' || id !== rawId || type !== 'public-key') return undefined;
  if (typeof response !== 'object' || response === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(response));
  const textOf = (name: string) => {
    const value = members.get(name);
    return typeof value === 'string' ? value : '';
  };
  const clientDataJSON = textOf('clientDataJSON');
  const { challenge } = objectIn(Buffer.from(clientDataJSON, 'base64url').toString());
  const transports = members.get('transports');
  const userHandle = textOf('userHandle');
  return {
    challenge,
    credential: { id, rawId, type: 'public-key', clientExtensionResults: {} } as const,
    texts: {
      clientDataJSON,
      attestationObject: textOf('attestationObject'),
      authenticatorData: textOf('authenticatorData'),
      signature: textOf('signature'),
      ...(userHandle !== '' && { userHandle }),
    },
    transports: Array.isArray(transports)
      ? transports.filter((one): one is string => /^[a-z-]{1,20}$/.test(String(one))).slice(0, 8)
      : [],
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
