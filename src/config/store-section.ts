/** The settings under `store`. */
import { z } from 'zod';
import { duration, key, section, table, text, urlOf } from './kinds.ts';

const redisServers = z.array(urlOf('redis', 'rediss')).min(1, 'must name at least one');

export const store = section('Where everything is kept.', {
  kind: key(
    z.enum(['embedded', 'distributed']).default('embedded'),
    'embedded: one SQLite file, one machine. distributed: MongoDB and Redis, any number of machines.',
  ),
  startupTimeout: key(
    duration.default(30),
    'How long a server that starts waits for MongoDB and Redis before it gives up and says which is missing.',
  ),
  embedded: section('The embedded store.', {
    file: key(text.default('data/portico.db'), 'The database file; its folder is made when absent.'),
  }),
  mongo: section('What must last: accounts, clients, grants, keys, audit.', {
    url: key(urlOf('mongodb', 'mongodb+srv').default('mongodb://127.0.0.1:27017'), 'Connection string.', {
      secret: 'url',
    }),
    database: key(text.default('portico'), 'Database name.'),
  }),
  redis: key(
    table({
      url: key(urlOf('redis', 'rediss').default('redis://127.0.0.1:6379'), 'Connection string.', {
        secret: 'url',
      }),
      sentinels: key(
        redisServers.optional(),
        'Sentinels that know which server is the primary, one URL each. Of store.redis.url then only rediss, user, password and database count.',
        { secret: 'value' },
      ),
      sentinelMaster: key(text.optional(), 'The name of the primary at the Sentinels; default: mymaster.'),
      cluster: key(
        redisServers.optional(),
        'Nodes of a Redis Cluster to begin with, one URL each; the others are found from them. Of store.redis.url then only rediss, user and password count.',
        { secret: 'value' },
      ),
      mayEvict: key(
        z.boolean().optional(),
        'Start although Redis may throw records out (a maxmemory-policy other than noeviction): used codes and counted attempts that it forgets are good again. Default: false.',
      ),
    })
      .refine(
        ({ sentinels, cluster }) => sentinels === undefined || cluster === undefined,
        'must not have both sentinels and cluster',
      )
      .prefault({}),
    'What lives shortly: sessions, codes, short-lived tokens, counters.',
  ),
});
