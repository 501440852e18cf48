/** `dialects.<name>.deprecation`: the end of a vendor's API, announced on every reply, and the brown-outs before it. */
import { z } from 'zod';
import { key, table, text, webPage } from './kinds.ts';

const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'must be a day such as 2027-06-30, or a moment such as 2027-06-30T08:00:00Z',
  })
  .transform((written) => new Date(written));

/** Judged although another key has an issue, so that one run reports everything. */
const isDate = (value: unknown): value is Date => value instanceof Date;

const brownout = table({
  from: key(moment, 'When it begins.'),
  to: key(moment, 'When it ends; Retry-After of its refusals leads there.'),
  endpoints: key(
    z.array(text).min(1).optional(),
    'Only these of the endpoints where a sign-in begins, such as POST /sign-in. Default: all of them. Other endpoints are never refused.',
  ),
  clients: key(
    z
      .array(z.string().regex(/^[!-~]{1,64}$/, 'must be at most 64 characters such as OldApp/1.*'))
      .min(1)
      .optional(),
    'Clients as `portico usage` names them; * stands for any characters. Default: all.',
  ),
  except: key(z.array(text).default([]), 'Organizations that it leaves alone.'),
}).refine(({ from, to }) => !isDate(from) || !isDate(to) || from < to, {
  ...{ message: 'must be later than from', path: ['to'] },
});

export const deprecationSection = table({
  since: key(moment, 'When the API became deprecated, or will: the header Deprecation.'),
  sunset: key(moment.optional(), 'When the API stops answering: the header Sunset.'),
  link: key(webPage(), 'A page for its clients’ makers: the header Link.'),
  brownouts: key(z.array(brownout).default([]), 'Windows in which new sign-ins are answered as unavailable.'),
}).refine(({ since, sunset }) => !isDate(since) || !isDate(sunset) || since <= sunset, {
  ...{ message: 'must not be earlier than since', path: ['sunset'] },
});

export type Deprecation = z.output<typeof deprecationSection>;
export type BrownOut = Deprecation['brownouts'][number];
