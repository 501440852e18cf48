/**
 * Who may exchange which token for which: one table, by what the subject token is and what is asked for. The client
 * must name the subject token's origin in its member `exchanges`, or the dialect that it asks for in `exchanges_to`;
 * both are the operator's words, and no person is asked again.
 */
import { ACR } from '../contract.ts';

/** What a subject token is. */
export type SubjectKind = 'api' | 'sign-in' | 'dialect' | 'exchanged' | 'client';
export type TargetKind = 'api' | 'dialect';

export interface Rule {
  /** The member of the client that must name the API or dialect that the subject token is for, or the target. */
  readonly listed: 'exchanges' | 'exchanges_to';
  /** Whose the subject token may be: of any client, or the asking client's own. */
  readonly of: 'any client' | 'the client itself';
  /** The new token's scopes are at most the client's; `of both`: at most the subject token's too. */
  readonly scope: 'of both' | 'of the client';
  /** Undefined: as the subject token says. */
  readonly acr?: string;
  /** Whether a client with `exchanges_offline` may get a refresh token. */
  readonly refresh: boolean;
}

/** Why there is no rule; the audit trail says it. */
export type NoRule = 'is-for-userinfo' | 'is-exchanged' | 'is-of-a-client' | 'is-of-a-dialect';

export const POLICY: Readonly<Record<SubjectKind, Readonly<Record<TargetKind, Rule | NoRule>>>> = {
  api: {
    api: { listed: 'exchanges', of: 'any client', scope: 'of both', refresh: false },
    dialect: { listed: 'exchanges_to', of: 'the client itself', scope: 'of the client', refresh: false },
  },
  'sign-in': {
    api: 'is-for-userinfo',
    dialect: { listed: 'exchanges_to', of: 'the client itself', scope: 'of the client', refresh: false },
  },
  dialect: {
    api: { listed: 'exchanges', of: 'any client', scope: 'of the client', acr: ACR.legacy, refresh: true },
    dialect: 'is-of-a-dialect',
  },
  exchanged: { api: 'is-exchanged', dialect: 'is-exchanged' },
  client: { api: 'is-of-a-client', dialect: 'is-of-a-client' },
};
