import { errors } from 'oidc-provider';

/** Undefined where it is refused: why, the provider says itself. */
export function unlessRefused<Result>(result: Promise<Result>): Promise<Result | undefined> {
  return result.catch((error: unknown) => {
    if (error instanceof errors.OIDCProviderError) return undefined;
    throw error;
  });
}
