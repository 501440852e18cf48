export type PasswordVerdict = 'ok' | 'too-short' | 'too-common';

export interface PasswordPolicy {
  judge(password: string, rules: { minimum: number; organizationName?: string }): PasswordVerdict;
}

export function createPasswordPolicy(_: {
  productNames: readonly string[];
  extra: readonly string[];
}): PasswordPolicy {
  throw new Error('unwritten');
}
