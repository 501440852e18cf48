/**
 * Who decides about the password of an account that a legacy system knows: that system, until a password is set
 * here. An account that two legacy systems know may have another password at each. The account's own hash is then
 * that of the systems whose entry has none of its own.
 */
import type { AccountRecord, LegacyEntry } from '../../model/account.ts';
import type { LegacySystems } from '../legacy-systems.ts';

/** 'undecided': there is no password here, and this legacy system has confirmed none. */
export function authorityOf(account: AccountRecord, dialect: string): LegacyEntry['password'] | 'undecided' {
  const { legacy = {}, passwordHash } = account;
  const entry = legacy[dialect];
  if (entry !== undefined) return entry.password;
  const others = Object.values(legacy);
  if (others.some(({ password }) => password === 'portico')) return 'portico';
  return others.length === 0 && passwordHash !== undefined ? 'portico' : 'undecided';
}

/** The dialects whose legacy systems may know the person: one has said so, or an operator gave the account its id. */
export function knownAt(
  { legacy = {}, aliases }: AccountRecord,
  { dialects }: Pick<LegacySystems, 'dialects'>,
): string[] {
  return [...new Set([...Object.keys(legacy), ...dialects.filter((name) => Object.hasOwn(aliases, name))])];
}

/** A hash that a channel accepts, and the dialects whose legacy systems confirmed it. */
export interface AcceptedHash {
  readonly hash: string | undefined;
  readonly of: readonly string[];
}

/** What a password is held against at a channel, in order; hosted pages take each. */
export function acceptedHashes(account: AccountRecord, channel: string): AcceptedHash[] {
  const entries = Object.entries(account.legacy ?? {});
  const apart = entries.flatMap(([dialect, { passwordHash: hash }]) =>
    hash === undefined ? [] : [{ hash, of: [dialect] }],
  );
  const own = { hash: account.passwordHash, of: sharing(account) };
  const theirs = apart.find(({ of }) => of.includes(channel));
  if (theirs !== undefined) return [theirs];
  return channel === 'hosted' ? [own, ...apart] : [own];
}

/** With a password that the legacy system has just confirmed. */
export function withConfirmed(
  account: AccountRecord,
  confirmed: { readonly dialect: string; readonly at: Date; readonly passwordHash?: string | undefined },
): AccountRecord {
  const { dialect, at, passwordHash } = confirmed;
  const { passwordHash: before, ...rest } = account.legacy?.[dialect] ?? { password: 'legacy' };
  const isShared = sharing(account).some((other) => other !== dialect) && account.passwordHash !== undefined;
  const entry = { ...rest, confirmedAt: at.toISOString() };
  if (passwordHash === undefined)
    return withEntry(account, dialect, { ...entry, ...(before && { passwordHash: before }) });
  if (isShared || before !== undefined) return withEntry(account, dialect, { ...entry, passwordHash });
  return { ...withEntry(account, dialect, entry), passwordHash };
}

/** Without the password that the legacy system does not confirm any more. */
export function withoutConfirmed(account: AccountRecord, dialect: string): AccountRecord {
  const { passwordHash: own, ...rest } = account;
  const {
    passwordHash: apart,
    confirmedAt: _,
    ...entry
  } = account.legacy?.[dialect] ?? { password: 'legacy' };
  const changed = withEntry(account, dialect, entry);
  if (apart !== undefined || own === undefined) return changed;
  // The other legacy systems that confirmed it keep it, each for itself.
  const others = sharing(account).filter((other) => other !== dialect);
  const kept = others.map((other) => [other, { ...account.legacy?.[other], passwordHash: own }]);
  return { ...rest, legacy: { ...changed.legacy, ...Object.fromEntries(kept) } };
}

/** A password was set here, or what others made before was ended: no legacy system decides any more. */
export function withOwnAuthority(account: AccountRecord): AccountRecord {
  if (account.legacy === undefined) return account;
  const entries = Object.keys(account.legacy).map((dialect) => [dialect, { password: 'portico' }]);
  return { ...account, legacy: Object.fromEntries(entries) };
}

export function withEntry(account: AccountRecord, dialect: string, entry: LegacyEntry): AccountRecord {
  return { ...account, legacy: { ...account.legacy, [dialect]: entry } };
}

/** The dialects whose legacy systems decide about the account's own hash. */
function sharing({ legacy = {} }: AccountRecord): string[] {
  return Object.entries(legacy).flatMap(([dialect, { password, passwordHash }]) =>
    password === 'legacy' && passwordHash === undefined ? [dialect] : [],
  );
}
