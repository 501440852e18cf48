import type { AuditRecord } from '../../model/audit-event.ts';
import {
  type AuditFilter,
  type AuditStore,
  CHANNEL_NAMES,
  positionFrom,
  positionText,
} from '../ports/audit.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Database, Value } from './sqlite/database.ts';
import { insert, type RecordRow, removeInBatches, type Table } from './sqlite/table.ts';

export const AUDIT: Table<RecordRow, AuditRecord> = {
  name: 'audit',
  key: ['at', 'id'],
  recordOf: ({ record }) => recordFrom<AuditRecord>(record, ['at']),
};

/** The first two have an index (migrations.ts), which SQLite finds by the same words. */
const EVENT = "json_extract(record, '$.event')";
const CLIENT = "json_extract(record, '$.clientId')";
const OUTCOME = "json_extract(record, '$.outcome')";
/** As channelOf(). */
const CHANNEL = `coalesce(${CHANNEL_NAMES.map((name) => `json_extract(record, '$.detail.${name}')`).join(', ')})`;

export function createAuditStore(database: Database): AuditStore {
  const page: AuditStore['page'] = ({ limit, after, ...filter }) =>
    database.read((sql) => {
      const conditions = conditionsOf(filter, after);
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
      const rows = sql.all<RecordRow & { at: number; id: number }>(
        `SELECT at, id, record FROM audit ${where} ORDER BY at DESC, id DESC LIMIT ?`,
        ...conditions.flatMap(([, ...values]) => values),
        limit,
      );
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return {
        records: rows.map(AUDIT.recordOf),
        ...(last && { next: positionText({ at: new Date(last.at), id: last.id.toString(16) }) }),
      };
    });
  return {
    append: (record) =>
      database.write(
        (sql) => {
          const { at, organization, subject } = record;
          insert(sql, 'audit', { at, organization, subject, record: JSON.stringify(record) });
        },
        { passing: true, patient: true },
      ),
    latest: async (options) => (await page(options)).records,
    page,
    removeBefore: (moment) => removeInBatches(database, AUDIT, 'at < ?', moment),
  };
}

function conditionsOf(filter: AuditFilter, after: string | undefined): [text: string, ...Value[]][] {
  const { organization, subject, event, clientId, channel, outcome, from, to } = filter;
  const compared = defined({
    'organization = ?': organization,
    'subject = ?': subject,
    [`${EVENT} = ?`]: event,
    [`${CLIENT} = ?`]: clientId,
    [`${CHANNEL} = ?`]: channel,
    [`${OUTCOME} = ?`]: outcome,
    'at >= ?': from,
    'at < ?': to,
  });
  const conditions: [text: string, ...Value[]][] = Object.entries(compared);
  if (after === undefined) return conditions;
  const { at, id } = positionFrom(after);
  return [...conditions, ['(at, id) < (?, ?)', at, Number.parseInt(id, 16)]];
}
