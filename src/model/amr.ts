/**
 * How a person proved who they are (RFC 8176): password, one-time code (by email or of an authenticator app), a
 * passkey's key on its device (`hwk`) or one that is copied between devices (`swk`), verified there as this person
 * (`user`), and `mfa`, which alone says that two factors were proven. Ours: upstream, single sign-on.
 */
const PROOFS = ['pwd', 'otp', 'hwk', 'swk', 'user', 'mfa', 'fed', 'sso'] as const;

type Proof = (typeof PROOFS)[number];

/** Two are no proofs and never stand in an ID token: a dialect's app password, and a browser that is not asked again. */
export type Amr = Proof | 'app-password' | 'remembered';

function isProof(name: string): name is Proof {
  return PROOFS.some((proof) => proof === name);
}

/** What an ID token may say. */
export function provenAmr(amr: readonly string[]): Proof[] {
  return amr.filter(isProof);
}
