/** The demo application's registration: a public third-party client, so that its consent page is seen too. */
import type { ClientRecord } from '../store/ports.ts';

export const DEMO_CLIENT_ID = 'demo';
export const DEMO_SCOPE = 'openid profile email organization roles offline_access';

/** To be stored at every start: the issuer may have another port each time. */
export function demoClient(options: { issuer: string; organization: string }): ClientRecord {
  const { issuer, organization } = options;
  return {
    clientId: DEMO_CLIENT_ID,
    organization,
    allOrganizations: false,
    firstParty: false,
    introspects: [],
    revokes: [],
    metadata: {
      client_name: 'Demo application',
      redirect_uris: [`${issuer}/demo/callback`],
      post_logout_redirect_uris: [`${issuer}/demo`],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: `${DEMO_SCOPE} phone address`,
    },
  };
}
