/** What is known of the upstreams that many have, as data. A setting of the entry wins. */
import type { ClaimNames } from '../protocol/id-token.ts';

export interface Preset {
  readonly title: string;
  /** `{tenant}` stands for one of the entry's tenants: each is an issuer. Without it the entry names its own. */
  readonly issuer?: string;
  /** What its issuers look like. */
  readonly form?: { readonly pattern: RegExp; readonly sample: string };
  readonly claims?: ClaimNames;
  readonly truthAsText?: boolean;
}

export const TENANT = '{tenant}';

export const presets = {
  // https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference: email is whatever the tenant's
  // administrator wrote; xms_edov says that the tenant has proven the address's domain.
  entra: {
    title: 'Microsoft',
    issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    form: { pattern: /^[^{}]+\{tenant\}[^{}]*$/, sample: `https://login.microsoftonline.us/${TENANT}/v2.0` },
    claims: { emailVerified: 'xms_edov' },
    // Some tenants' tokens say "1".
    truthAsText: true,
  },
  keycloak: {
    title: 'Keycloak',
    form: { pattern: /\/realms\/[^/]+$/, sample: 'https://keycloak.example.org/realms/clinic' },
  },
  okta: {
    title: 'Okta',
    form: {
      pattern: /^[^/]+\/\/[^/]+(?:\/oauth2\/[^/]+)?$/,
      sample: 'https://clinic.okta.com, or https://clinic.okta.com/oauth2/default',
    },
  },
} satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

export const presetOf = (name: PresetName | undefined): Preset | undefined => name && presets[name];
