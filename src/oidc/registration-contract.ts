/** Clients that register themselves, as operators manage them. */
import type { RegistrationLimits } from '../model/client.ts';

export interface Registrations {
  readonly tokens: RegistrationTokens;
  /** Removes a client, registered by itself or by an operator, with its grants and tokens. False: there is none. */
  endClient(clientId: string): Promise<boolean>;
  /** Removes the registered clients that were not used for long. Resolves with how many. */
  endUnused(): Promise<number>;
}

/** Initial access tokens. */
export interface RegistrationTokens {
  /** `lifetime`: seconds. The value is shown once. */
  create(
    token: Omit<InitialToken, 'id' | 'createdAt' | 'expiresAt'> & { readonly lifetime: number },
  ): Promise<{ value: string; token: InitialToken }>;
  list(): Promise<InitialToken[]>;
  /** False: there is none. */
  revoke(id: string): Promise<boolean>;
}

export interface InitialToken {
  readonly id: string;
  /** To know it again. */
  readonly name?: string;
  /** Whose clients are registered with it. */
  readonly organization: string;
  /** How many clients may still be registered with it; absent: any number. */
  readonly uses?: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Of its clients, instead of the configuration's. */
  readonly limits?: RegistrationLimits;
}
