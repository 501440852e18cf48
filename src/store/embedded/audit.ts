import type { AuditRecord } from '../../model/audit-event.ts';
import type { AuditStore } from '../ports/audit.ts';
import type { Database } from './sqlite/database.ts';

/** Rows per transaction: sign-ins must not wait behind the broom. */
const BATCH = 500;

export function createAuditStore(database: Database): AuditStore {
  return {
    append: (record) =>
      database.write((sql) => {
        sql.run(
          'INSERT INTO audit (at, organization, subject, record) VALUES (?, ?, ?, ?)',
          record.at.getTime(),
          record.organization ?? null,
          record.subject ?? null,
          JSON.stringify(record),
        );
      }),
    latest: ({ limit, organization, subject }) =>
      database.read((sql) => {
        const filters: [string, string][] = [];
        if (organization !== undefined) filters.push(['organization', organization]);
        if (subject !== undefined) filters.push(['subject', subject]);
        const where = filters.map(([column]) => `${column} = ?`).join(' AND ');
        return sql
          .all<{ record: string }>(
            `SELECT record FROM audit ${where && `WHERE ${where}`} ORDER BY at DESC, id DESC LIMIT ?`,
            ...filters.map(([, value]) => value),
            limit,
          )
          .map((row): AuditRecord => {
            const record = JSON.parse(row.record);
            return { ...record, at: new Date(record.at) };
          });
      }),
    async removeBefore(moment) {
      const text = `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ${BATCH})`;
      for (let total = 0; ; ) {
        const gone = await database.write((sql) => sql.run(text, moment.getTime()));
        total += gone;
        if (gone < BATCH) return total;
      }
    },
  };
}
