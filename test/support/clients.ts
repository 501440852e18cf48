/** The OIDC clients of clients.yaml, as tests need to know them, and others made of them. */
import type { ClientStore } from '../../src/store/ports/installation.ts';

export interface TestClient {
  readonly clientId: string;
  /** Absent: a public client. */
  readonly secret?: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri?: string;
  readonly secretIn?: 'header' | 'body';
}

export const webApp: TestClient = {
  clientId: 'web-app',
  secret: 'Timber-Violet-Anchor-63',
  redirectUri: 'https://app.test/callback',
  postLogoutRedirectUri: 'https://app.test/signed-out',
};

export const webAppPost: TestClient = {
  clientId: 'web-app-post',
  secret: 'Gravel-Comet-Ribbon-22',
  redirectUri: 'https://post.test/callback',
  secretIn: 'body',
};

export const nativeApp: TestClient = { clientId: 'native-app', redirectUri: 'http://127.0.0.1/callback' };

export const clinicdevApp: TestClient = {
  clientId: 'clinicdev-app',
  secret: 'Meadow-Falcon-Copper-94',
  redirectUri: 'https://clinicdev.test/callback',
  postLogoutRedirectUri: 'https://clinicdev.test/signed-out',
};

export const ownApp: TestClient = {
  clientId: 'own-app',
  secret: 'Lantern-Quartz-Harbour-17',
  redirectUri: 'https://own.test/callback',
  postLogoutRedirectUri: 'https://own.test/signed-out',
};

/** A public application whose code runs in the browser. */
export const spa: TestClient = {
  clientId: 'spa',
  redirectUri: 'https://spa.test/callback',
  postLogoutRedirectUri: 'https://spa.test/signed-out',
};

/** Signs people in by the device flow (RFC 8628). */
export const tvApp: TestClient = { clientId: 'tv-app', redirectUri: '' };

export const service: TestClient = {
  clientId: 'service',
  secret: 'Orchard-Signal-Marble-38',
  redirectUri: '',
};

/** May introspect and revoke the tokens of the five dialects (people.yaml). */
export const recordsApi: TestClient = {
  clientId: 'records-api',
  secret: 'Ledger-Orchard-Signal-88',
  redirectUri: '',
};

/** May ask about its own tokens only (people.yaml). */
export const strangerApi: TestClient = {
  clientId: 'stranger-api',
  secret: 'Copper-Willow-Beacon-17',
  redirectUri: '',
};

/** The Authorization header of a confidential client (RFC 6749, 2.3.1: both parts form-encoded first). */
export function basicAuth({ clientId, secret = '' }: TestClient): string {
  const encoded = [clientId, secret].map((part) => encodeURIComponent(part)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

/** Stores clients as `base` is, under other ids: what is otherwise in their metadata, by id. */
export async function putVariants(
  clients: ClientStore,
  base: Pick<TestClient, 'clientId'>,
  variants: Readonly<Record<string, object>>,
): Promise<void> {
  const known = await clients.byId(base.clientId);
  if (known === undefined) throw new Error('The client is not there.');
  for (const [clientId, other] of Object.entries(variants))
    await clients.put({ ...known, clientId, metadata: { ...known.metadata, ...other } });
}
