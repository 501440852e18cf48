import type { OrganizationRecord } from '../../model/organization.ts';
import type { OrganizationStore } from '../ports/organizations.ts';
import type { Database, Sql } from './sqlite/database.ts';

interface RecordRow {
  readonly record: string;
}

/** Thrown inside a write, so that it is undone. */
class HostTaken extends Error {
  readonly host: string;
  constructor(host: string) {
    super(`${host} is taken`);
    this.host = host;
  }
}

export function createOrganizationStore(database: Database): OrganizationStore {
  return {
    async put(organization) {
      try {
        await database.write((sql) => put(sql, organization));
        return 'stored';
      } catch (error) {
        if (error instanceof HostTaken) return { taken: `host:${error.host}` };
        throw error;
      }
    },
    byId: (id) =>
      database.read((sql) =>
        organizationOf(sql.get<RecordRow>('SELECT record FROM organizations WHERE id = ?', id)),
      ),
    byHost: (host) =>
      database.read((sql) =>
        organizationOf(
          sql.get<RecordRow>(
            'SELECT record FROM organizations JOIN organization_hosts ON organization = id WHERE host = ?',
            host.toLowerCase(),
          ),
        ),
      ),
    list: () =>
      database.read((sql) =>
        sql
          .all<RecordRow>('SELECT record FROM organizations ORDER BY id')
          .map((row): OrganizationRecord => JSON.parse(row.record)),
      ),
  };
}

function put(sql: Sql, organization: OrganizationRecord): void {
  sql.run(
    'INSERT INTO organizations (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record',
    organization.id,
    JSON.stringify(organization),
  );
  sql.run('DELETE FROM organization_hosts WHERE organization = ?', organization.id);
  for (const host of new Set(organization.hosts.map((name) => name.toLowerCase()))) {
    const added = sql.run(
      'INSERT INTO organization_hosts (host, organization) VALUES (?, ?) ON CONFLICT DO NOTHING',
      host,
      organization.id,
    );
    if (added === 0) throw new HostTaken(host);
  }
}

function organizationOf(row: RecordRow | undefined): OrganizationRecord | undefined {
  return row && JSON.parse(row.record);
}
