/** What hashes of other systems need and do not hold: `passwords.imported` (docs/import.md). */
import { z } from 'zod';
import { count, key, section, table, text } from './kinds.ts';

const base64 = z.string().regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'must be Base64');
const named = <Schema extends z.ZodType>(schema: Schema) =>
  z.record(z.string().regex(/^[\w-]{1,64}$/, 'must be letters, digits, _ and -'), schema).default({});

export const importedHashes = section(
  'What hashes of other systems need and do not hold, by names that imports give.',
  {
    firebase: key(
      named(
        table({
          signerKey: key(base64.min(1, 'must not be empty'), 'Of the project’s password hash parameters.', {
            secret: 'value',
          }),
          saltSeparator: key(base64.default(''), 'Likewise.'),
          rounds: key(count.max(255), 'Likewise.'),
          memCost: key(count.max(20), 'Likewise.'),
        }),
      ),
      'Firebase projects: `{ signerKey, saltSeparator, rounds, memCost }`, as the console shows them.',
    ),
    devise: key(
      named(table({ pepper: key(text, 'Of the application.', { secret: 'value' }) })),
      'Devise’s peppers: `{ pepper }`.',
    ),
  },
);
