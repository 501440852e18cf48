/** What the steps of an exchange work with. */
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { ApiDeps } from '../apis/resource-indicators.ts';
import type { DialectsAsked } from '../contract.ts';
import type { Possession } from '../extensions/sender-constraints.ts';
import type { Keyring } from '../persistence/signing-keys.ts';
import type { ProviderContext } from '../provider/context.ts';
import type { AdmissionDeps } from './admission.ts';
import type { Rule } from './policy.ts';
import type { ExchangeRequest } from './request.ts';
import type { SubjectToken } from './subject-token.ts';

export interface ExchangeDeps extends AdmissionDeps, ApiDeps {
  readonly provider: Provider;
  readonly accounts: AdmissionDeps['accounts'];
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly issuer: string;
  readonly ring: () => Keyring;
  readonly dialects: DialectsAsked;
}

/** An exchange that was admitted. */
export interface Exchange {
  readonly ctx: ProviderContext;
  readonly client: Client;
  readonly request: ExchangeRequest;
  /** The identifier of an API, or the name of a dialect. */
  readonly target: string;
  readonly possession: Possession;
  readonly subject: SubjectToken;
  readonly rule: Rule;
}
