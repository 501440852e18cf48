/**
 * An application around a client library: a site on this machine under another host name than the server's,
 * and its registration there.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientRecord } from '../../src/model/client.ts';
import type { TestClient } from './clients.ts';
import type { TestServer } from './server.ts';

/** Of clients.yaml. */
export const INES = {
  login: 'ines@clinic.test',
  password: 'Cinder-Walnut-Prairie-56',
  name: 'Ines Moreau',
  roles: ['nurse'],
};

export interface Served {
  /** No slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** `listener`: a function of Node's, or an application of Express. */
export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Gives a registration an address that a browser can open, and `metadata` over what it has. */
export async function rehome(
  server: TestServer,
  client: TestClient,
  url: string,
  metadata: ClientRecord['metadata'] = {},
): Promise<TestClient> {
  const { clients } = server.running.stores;
  const known = await clients.byId(client.clientId);
  if (known === undefined) throw new Error(`The client ${client.clientId} is not there.`);
  const redirectUri = `${url}/callback`;
  const postLogoutRedirectUri = `${url}/signed-out`;
  await clients.put({
    ...known,
    metadata: {
      ...known.metadata,
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [postLogoutRedirectUri],
      ...metadata,
    },
  });
  return { ...client, redirectUri, postLogoutRedirectUri };
}
