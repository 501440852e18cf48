import type { Config } from '../../src/config/schema.ts';

/** `config.store` for a database file of a test. */
export function embeddedConfig(file: string): Config['store'] {
  return {
    kind: 'embedded',
    startupTimeout: 30,
    embedded: { file },
    mongo: { url: 'mongodb://127.0.0.1:27017', database: 'portico' },
    redis: { url: 'redis://127.0.0.1:6379' },
  };
}
