/**
 * A date of birth is at most today, in UTC. Schemas know no clock, so the pipeline asks this beside them; the
 * issue is marked where it stands before those that the schemas found, since only the first one is said.
 */
import type { FieldIssue } from '../../contract/dialect.ts';
import type { JudgeContext } from '../../contract/endpoint.ts';
import { date, readAs } from '../fields.ts';

/** FieldIssue.code of an issue that stands before the other ones. */
export const FIRST = 'first';

/** `before`: the members that the endpoint's table lists before `dob`. */
export function bornUntilToday(before: readonly string[]) {
  return async (context: Pick<JudgeContext, 'raw' | 'issues' | 'request'>): Promise<FieldIssue[]> => {
    const dob = readAs(context.raw.dob, date);
    if (dob === undefined || dob <= context.request.arrivedAt.toISOString().slice(0, 10)) return [];
    const first = context.issues[0]?.path[0];
    const issue = { path: ['dob'], message: 'Invalid dob' };
    return [typeof first === 'string' && before.includes(first) ? issue : { ...issue, code: FIRST }];
  };
}
