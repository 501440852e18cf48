import type { TicketRecord, TicketStore } from '../ports/link-tokens.ts';
import type { Database } from './sqlite/database.ts';

interface RecordRow {
  readonly record: string;
}

export function createTicketStore(database: Database): TicketStore {
  return {
    put: (hash, ticket) =>
      database.write((sql) => {
        sql.run(
          'INSERT OR REPLACE INTO tickets (hash, purpose, account_id, expires_at, record) VALUES (?, ?, ?, ?, ?)',
          hash,
          ticket.purpose,
          ticket.accountId ?? null,
          ticket.expiresAt.getTime(),
          JSON.stringify(ticket),
        );
      }),
    read: (hash, purpose, now) =>
      database.read((sql) =>
        ticketOf(
          sql.get<RecordRow>(
            'SELECT record FROM tickets WHERE hash = ? AND purpose = ? AND expires_at > ?',
            hash,
            purpose,
            now.getTime(),
          ),
        ),
      ),
    spend: (hash, purpose, now) =>
      database.write((sql) =>
        ticketOf(
          sql.get<RecordRow>(
            'DELETE FROM tickets WHERE hash = ? AND purpose = ? AND expires_at > ? RETURNING record',
            hash,
            purpose,
            now.getTime(),
          ),
        ),
      ),
    removeByAccount: (accountId, purpose) =>
      database.write((sql) => {
        sql.run(
          'DELETE FROM tickets WHERE account_id = ?1 AND (?2 IS NULL OR purpose = ?2)',
          accountId,
          purpose ?? null,
        );
      }),
  };
}

function ticketOf(row: RecordRow | undefined): TicketRecord | undefined {
  if (!row) return undefined;
  const record = JSON.parse(row.record);
  return { ...record, createdAt: new Date(record.createdAt), expiresAt: new Date(record.expiresAt) };
}
