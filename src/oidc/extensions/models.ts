/**
 * The models of oidc-provider that Portico reaches into: a narrow view of their common shape (the
 * published types leave out what subclasses may override), the members that Portico stores besides theirs, and
 * the way to replace a method of theirs.
 *
 * Replaces in oidc-provider 9.13.3:
 * - AccessToken.IN_PAYLOAD e9df4ea705f8
 * - Interaction.IN_PAYLOAD 7a370d424071
 * - AuthorizationCode.IN_PAYLOAD 7070aa95a821
 * - RefreshToken.IN_PAYLOAD 0770112a9804
 * - Session.IN_PAYLOAD 0aa4d0ad0e1a
 */
import type Provider from 'oidc-provider';
import type { AccessToken, ClientCredentials, Grant, RefreshToken } from 'oidc-provider';
import { randomToken } from '../../core/crypto.ts';
import type { Payload, UnsavedRecord } from '../persistence/records.ts';
import type { ProviderContext } from '../provider/context.ts';

export interface ProviderRecord {
  readonly kind: string;
  jti?: string;
  iat?: number;
  exp?: number;
  clientId?: string;
  grantId?: string;
  gty?: string;
  /** The code that the token stems from; narrower than a grant, which the sign-ins of one browser session share. */
  family?: string | undefined;
  consumed?: number;
  /** The client could not name the API of its tokens. */
  impliedResource?: boolean;
  readonly scope?: string;
  /** A device code's, once its person has said yes. */
  readonly accountId?: string;
  /** A device code's, once its person has said no. */
  readonly error?: string;
  /** A device code's, while its person is asked. */
  readonly inFlight?: boolean;
  readonly isExpired?: boolean;
  readonly expiration: number;
  generateTokenId(): string;
  getValueAndPayload(): Promise<{ value: string; payload?: Payload }>;
  emit(event: string): void;
  save(): Promise<string>;
  destroy(): Promise<void>;
  consume(): Promise<void>;
  readonly adapter: ProviderStorage;
}

interface ProviderStorage {
  upsert(id: string, payload: Payload, expiresIn: number): Promise<void>;
  destroy(id: string): Promise<void>;
}

export interface ProviderModel {
  readonly prototype: ProviderRecord;
  readonly IN_PAYLOAD: readonly string[];
  find(value: string, options?: object): Promise<ProviderRecord | undefined>;
  /** Of DeviceCode. */
  findByUserCode(userCode: string, options?: object): Promise<ProviderRecord | undefined>;
}

/** A new record of this kind, as what the provider would store of it. `lifetime`: seconds. */
export function unsaved(
  kind: 'AccessToken' | 'RefreshToken' | 'ClientCredentials' | 'AuthorizationCode' | 'Grant' | 'Session',
  members: Payload,
  lifetime: number,
): UnsavedRecord & { readonly lifetime: number } {
  const iat = Math.floor(Date.now() / 1000);
  const value = randomToken();
  return { kind, value, payload: { iat, exp: iat + lifetime, ...members, jti: value, kind }, lifetime };
}

export type ModelName =
  | 'AccessToken'
  | 'ClientCredentials'
  | 'RefreshToken'
  | 'AuthorizationCode'
  | 'DeviceCode'
  | 'BaseToken'
  | 'Interaction'
  | 'Session';

export function modelOf(provider: Provider, name: ModelName): ProviderModel {
  return (provider as unknown as Record<ModelName, ProviderModel>)[name];
}

/** What the provider makes of a stored payload. */
export interface ModelOfRecords<Made> {
  /** Rejects when it takes the payload for none. */
  verify(payload: Payload, options: { ignoreExpiration: boolean }): Promise<Payload>;
  instantiate(payload: Payload): Made;
}

export function modelsOfRecords(provider: Provider) {
  return provider as unknown as {
    AccessToken: ModelOfRecords<AccessToken>;
    ClientCredentials: ModelOfRecords<ClientCredentials>;
    RefreshToken: ModelOfRecords<RefreshToken>;
    Grant: ModelOfRecords<Grant>;
  };
}

/** A record that the provider has found for the request, or made. */
export function entityOf(
  { oidc }: ProviderContext,
  name: 'AuthorizationCode' | 'DeviceCode' | 'RefreshToken' | 'RotatedRefreshToken',
): ProviderRecord | undefined {
  return (oidc.entities as Record<string, ProviderRecord | undefined>)[name];
}

/** Must run before the first record of the model is made: the provider remembers the list. */
function storeAlso(model: ProviderModel, ...members: string[]): void {
  const all = [...model.IN_PAYLOAD, ...members];
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => all });
}

/** What tokens of dialects say of their sign-in. */
const OF_DIALECTS = ['signedInAt', 'appPassword'];

export function addMembers(provider: Provider): void {
  storeAlso(
    modelOf(provider, 'AccessToken'),
    'family',
    'organization',
    'acr',
    'amr',
    'authTime',
    ...OF_DIALECTS,
  );
  storeAlso(modelOf(provider, 'AuthorizationCode'), 'impliedResource');
  const ofRefresh = ['family', 'organization', 'endsAt', 'impliedResource', ...OF_DIALECTS];
  storeAlso(modelOf(provider, 'RefreshToken'), ...ofRefresh);
  storeAlso(modelOf(provider, 'Interaction'), 'over');
  storeAlso(modelOf(provider, 'Session'), 'note', 'browser', 'openedBy');
}

type Replacement<Self, Method> = Method extends (...args: infer Args) => infer Result
  ? (self: Self, original: (...args: Args) => Result, ...args: Args) => Result
  : never;

/** Replaces a method of `owner`: the new one gets the object that it is called on, and the old one to call. */
export function override<Self extends object, Name extends keyof Self>(
  owner: Self,
  name: Name,
  replacement: Replacement<Self, Self[Name]>,
): void {
  const method: unknown = owner[name];
  if (typeof method !== 'function') throw new Error(`oidc-provider has no ${String(name)} any more.`);
  Object.defineProperty(owner, name, {
    value(this: Self, ...args: unknown[]) {
      const original = (...given: unknown[]) => Reflect.apply(method, this, given);
      return Reflect.apply(replacement, undefined, [this, original, ...args]);
    },
    configurable: true,
    writable: true,
  });
}
