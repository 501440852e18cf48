/** The tables and their indexes, as the steps of migrations.ts make them. What was released is never changed. */

export const FIRST = `
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  organization TEXT NOT NULL,
  email_folded TEXT,
  username_folded TEXT,
  version INTEGER NOT NULL,
  last_sign_in_at INTEGER,
  record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_email ON accounts (organization, email_folded);
CREATE UNIQUE INDEX accounts_username ON accounts (organization, username_folded);
CREATE INDEX accounts_page ON accounts (organization, id);

CREATE TABLE account_aliases (
  alias TEXT NOT NULL,
  value TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  PRIMARY KEY (alias, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_aliases_account ON account_aliases (account_id);

CREATE TABLE identities (
  organization TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  account_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization, issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_account ON identities (account_id);

CREATE TABLE organizations (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
CREATE TABLE organization_hosts (
  host TEXT PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX organization_hosts_organization ON organization_hosts (organization);

CREATE TABLE clients (client_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  key_hash TEXT NOT NULL UNIQUE,
  organization TEXT NOT NULL,
  account_id TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX api_keys_account ON api_keys (account_id, created_at);
CREATE INDEX api_keys_organization ON api_keys (organization, created_at);

CREATE TABLE artifacts (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  payload TEXT NOT NULL,
  expires_at INTEGER,
  grant_id TEXT,
  account_id TEXT,
  client_id TEXT,
  uid TEXT,
  user_code TEXT,
  durable INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  consumed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX artifacts_id ON artifacts (kind, id);
CREATE INDEX artifacts_grant ON artifacts (grant_id, kind) WHERE grant_id IS NOT NULL;
CREATE INDEX artifacts_account ON artifacts (account_id, kind, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX artifacts_uid ON artifacts (uid, kind) WHERE uid IS NOT NULL;
CREATE INDEX artifacts_user_code ON artifacts (user_code, kind) WHERE user_code IS NOT NULL;
CREATE INDEX artifacts_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE keyring (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  sealed TEXT NOT NULL
) STRICT;

CREATE TABLE attempts (
  key TEXT NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (key, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_expiry ON attempts (expires_at);
CREATE TABLE attempt_windows (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_windows_expiry ON attempt_windows (expires_at);
CREATE TABLE attempt_memory (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_memory_expiry ON attempt_memory (expires_at);

CREATE TABLE codes (
  key TEXT PRIMARY KEY,
  code_hash TEXT NOT NULL,
  account_id TEXT NOT NULL,
  tries_left INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX codes_account ON codes (account_id);
CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE tickets (
  hash TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id TEXT,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX tickets_account ON tickets (account_id, purpose) WHERE account_id IS NOT NULL;
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE claims (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  sealed TEXT,
  at INTEGER
) STRICT;
CREATE INDEX claims_expiry ON claims (expires_at);

CREATE TABLE presence (
  account_id TEXT PRIMARY KEY,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX presence_expiry ON presence (expires_at);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organization TEXT,
  subject TEXT,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_organization ON audit (organization, at) WHERE organization IS NOT NULL;
CREATE INDEX audit_subject ON audit (subject, at) WHERE subject IS NOT NULL;

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** Codes are kept by the client that asked for them. */
export const CODES_BY_ASKER = `
CREATE TABLE codes_by_asker (
  key TEXT NOT NULL,
  asker TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  account_id TEXT NOT NULL,
  tries_left INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
INSERT INTO codes_by_asker SELECT key, '', code_hash, account_id, tries_left, expires_at, record FROM codes;
DROP TABLE codes;
ALTER TABLE codes_by_asker RENAME TO codes;
CREATE UNIQUE INDEX codes_key ON codes (key, asker);
CREATE INDEX codes_account ON codes (account_id);
CREATE INDEX codes_expiry ON codes (expires_at);
`;

export const APIS = `
CREATE TABLE IF NOT EXISTS apis (id TEXT PRIMARY KEY, identifier TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;
`;

export const DELIVERIES = `
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  due_at INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_expiry ON deliveries (expires_at);
`;

/** The words of ../audit.ts. */
export const AUDIT_BY_EVENT_AND_CLIENT = `
CREATE INDEX IF NOT EXISTS audit_event ON audit (json_extract(record, '$.event'), at);
CREATE INDEX IF NOT EXISTS audit_client ON audit (json_extract(record, '$.clientId'), at);
`;

export const GRANTS_BY_CLIENT = `
CREATE INDEX IF NOT EXISTS oidc_records_grants ON oidc_records (client_id) WHERE kind = 'Grant';
`;

export const USAGE = `
CREATE TABLE IF NOT EXISTS usage (
  day TEXT NOT NULL,
  dialect TEXT NOT NULL,
  tallies TEXT NOT NULL,
  PRIMARY KEY (day, dialect)
) STRICT;
`;
