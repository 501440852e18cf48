export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string | undefined): Promise<{ right: boolean; rehash: boolean }>;
}

export function createPasswordHasher(_: { concurrency?: number; queue: number }): PasswordHasher {
  throw new Error('unwritten');
}
