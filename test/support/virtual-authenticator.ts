/** Chromium's virtual authenticator (CDP, domain WebAuthn): the device of a page's person. */
import type { Page } from './browser.ts';

export interface VirtualAuthenticator {
  /** Whether the person touches it at what is asked from now on: by a button, or by the first field's suggestions. */
  touches(yes: boolean): Promise<void>;
  /** Whether the person unlocks it. */
  unlocks(yes: boolean): Promise<void>;
  /** Its only passkey is put back with this sign counter: a copy of it that is behind. */
  rewind(signCount: number): Promise<void>;
  forgetAll(): Promise<void>;
  count(): Promise<number>;
}

export async function attachAuthenticator(page: Page): Promise<VirtualAuthenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    },
  });
  const credentials = async () =>
    (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  return {
    touches: async (enabled) => {
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    },
    unlocks: async (isUserVerified) => {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
    async rewind(signCount) {
      const [credential] = await credentials();
      if (credential === undefined) throw new Error('The authenticator has no passkey.');
      await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
      await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount } });
    },
    forgetAll: async () => {
      await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
    },
    count: async () => (await credentials()).length,
  };
}
