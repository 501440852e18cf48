/** What an organization or a client asks of its people, as an operator writes it down (docs/second-factors.md). */
import { z } from 'zod';
import type { FactorPolicy } from '../model/factors.ts';

const role = z.string().min(1, 'must not be empty').max(512, 'must have 512 characters or fewer');
const days = z.int().min(0).max(365);

export const factorsForm = z
  .strictObject({
    require: z.enum(['optional', 'required', 'required-for-roles']).optional(),
    roles: z.array(role).min(1, 'must name a role').optional(),
    offered: z
      .array(z.enum(['passkey', 'app']))
      .min(1, 'must name passkey or app')
      .optional(),
    /** When people began to be asked; noted by the server where it is absent. */
    since: z.iso.datetime('must be a time such as 2030-01-15T09:00:00.000Z').optional(),
    grace_days: days.optional(),
    remember_days: days.optional(),
  })
  .check(({ value, issues }) => {
    const needs = value.require === 'required-for-roles';
    if (needs === (value.roles !== undefined)) return;
    const message = needs ? 'must stand beside required-for-roles' : 'needs require: required-for-roles';
    issues.push({ code: 'custom', message, path: ['roles'], input: value.roles });
  });

type FactorsForm = z.output<typeof factorsForm>;

/** With the time from which it is required: what `before` says goes on. */
export function policyOf(form: FactorsForm, before: FactorPolicy | undefined, now: Date): FactorPolicy {
  const { require, roles, offered, grace_days: graceDays, remember_days: rememberDays } = form;
  const asks = require !== undefined && require !== 'optional';
  const since = asks ? (form.since ?? before?.since ?? now.toISOString()) : undefined;
  return {
    ...(require !== undefined && { require }),
    ...(roles !== undefined && { roles }),
    ...(offered !== undefined && { offered }),
    ...(since !== undefined && { since }),
    ...(graceDays !== undefined && { graceDays }),
    ...(rememberDays !== undefined && { rememberDays }),
  };
}
