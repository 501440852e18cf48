/** For development: who called the dialects in the last 30 days, as bars by day and as a table by client and endpoint. */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Clock } from '../core/clock.ts';
import { middlewareOf } from '../http/forms/guards.ts';
import type { Views } from '../http/views/render.ts';
import { sendPage } from '../http/views/send-page.ts';
import type { UsageStore } from '../store/ports/usage.ts';
import { type UsageLine, usageLines } from '../usage/report.ts';
import { dayOf, type Usage } from '../usage/usage.ts';

const DAYS = 30;
const DAY = 86_400_000;
/** Lines of the table. */
const MOST = 200;
/** Of the picture, in units of its own (views/pages/usage.ejs). */
const HEIGHT = 120;

export function createUsagePage(options: {
  readonly usage: Pick<Usage, 'flush'>;
  readonly store: Pick<UsageStore, 'since'>;
  readonly clock: Clock;
  readonly views: Views;
}): Middleware {
  const { usage, store, clock, views } = options;
  const router = new Router({ sensitive: true }).get('/dev/usage', async (ctx) => {
    // What a developer has just sent is there.
    await usage.flush();
    const today = clock.now().getTime();
    const days = Array.from({ length: DAYS }, (_, ago) => dayOf(new Date(today - ago * DAY))).reverse();
    const stored = await store.since(days[0] ?? '');
    const lines = usageLines(stored, ['client', 'endpoint']).slice(0, MOST);
    sendPage(ctx, views, {
      view: 'usage',
      wide: true,
      data: { ...chartOf(days, usageLines(stored, ['day'])), lines: lines.map(rowOf) },
    });
  });
  return middlewareOf(router);
}

/** A bar for each day, with what was not answered well in front. No day: nothing was counted. */
function chartOf(days: readonly string[], lines: readonly UsageLine[]) {
  const sums = days.map((day) => {
    const own = lines.filter(({ of }) => of.day === day);
    const requests = own.reduce((sum, line) => sum + line.requests, 0);
    return { day, requests, rest: requests - own.reduce((sum, { outcomes }) => sum + outcomes.ok, 0) };
  });
  const total = sums.reduce((sum, { requests }) => sum + requests, 0);
  const most = Math.max(1, ...sums.map(({ requests }) => requests));
  const bars = sums.map(({ day, requests, rest }, place) => {
    const [height, restHeight] = [requests, rest].map((count) => Math.round((count / most) * HEIGHT));
    const tops = { y: HEIGHT - (height ?? 0), restY: HEIGHT - (restHeight ?? 0) };
    return { day, requests, height, restHeight, ...tops, x: place * 20 + 2 };
  });
  return { total, most, bars: total === 0 ? [] : bars, first: days[0], last: days.at(-1) };
}

function rowOf({ dialect, of, requests, outcomes, lastAt }: UsageLine) {
  const last = lastAt.toISOString().replace('T', ' ').slice(0, 16);
  return {
    ...{ client: of.client, endpoint: `${dialect} ${of.endpoint}`, requests, last },
    rest: requests - outcomes.ok,
  };
}
