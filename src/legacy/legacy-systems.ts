/**
 * The only room that calls a legacy system: what answered a vendor's API before Portico. Identity asks through its
 * port (identity/legacy-systems.ts); here stand the calls, the rules of what a yes is worth, and the end of the
 * sessions that asking opens there. How a vendor is asked says its folder (dialects/<vendor>/legacy.ts); when,
 * src/migration.
 */
import type { LegacySettings } from '../config/legacy-section.ts';
import { normalizeEmail } from '../core/text.ts';
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import { type Confirmed, joined, type LegacyApi, type Question } from '../dialects/contract/legacy-api.ts';
import { directoryOf } from '../dialects/runtime/directory.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import type { Identity, RequestContext } from '../identity/context.ts';
import { keptYes } from '../identity/legacy/kept-yes.ts';
import type {
  ConfirmedPerson,
  LegacyAnswer,
  LegacyRules,
  LegacySystem,
  LegacySystems,
} from '../identity/legacy-systems.ts';
import type { Sightings } from '../migration/sightings.ts';
import type { Stages } from '../migration/stages.ts';
import type { Metrics } from '../observe/metrics.ts';
import { type About, type Asker, createAsker, type QuestionName } from './ask.ts';
import type { WireReply, WireRequest } from './call.ts';
import { createYesJudge, type YesJudge } from './judge-yes.ts';
import { type Away, type Line, openLine } from './line.ts';
import { type Read, textAt, withClaims } from './question.ts';
import { serves } from './serves.ts';
import { createSessionEnder, type SessionEnder } from './stray-sessions.ts';
import { createTokenJudge, type TokenJudge } from './token-keys.ts';

/** Seconds after which a system whose end is rehearsed is asked for again. */
const REHEARSED = 30;

export interface LegacyCalls extends LegacySystems {
  /** One call as it is, for what passes through. `name`: the dialect. Never rejects. */
  send(
    name: string,
    request: WireRequest,
    options?: { readonly limited: boolean },
  ): Promise<WireReply | Away>;
  /** What a yes that passed by is worth; where it does not say everything, the legacy system is asked for the rest. */
  confirm(
    name: string,
    heard: HeardYes,
    at: { readonly organization: OrganizationView; readonly context: RequestContext },
  ): Promise<{ readonly yes: ConfirmedPerson } | Away>;
  close(): Promise<void>;
}

/** A yes of a legacy system, to a question of this server or of a client. */
export interface HeardYes {
  readonly question: QuestionName;
  readonly first: Exclude<Read, 'no'>;
  /** That the question showed. */
  readonly token?: string | undefined;
  readonly login?: string | undefined;
}

/** One legacy system as it runs. */
interface Running {
  readonly mounted: MountedDialect;
  readonly legacy: LegacySettings;
  readonly api: LegacyApi;
  readonly line: Line;
  readonly ask: Asker;
  readonly judge: YesJudge;
  readonly sessions: SessionEnder;
  readonly tokenJudge: TokenJudge | undefined;
  readonly identity: Identity;
}

export function createLegacySystems(options: {
  readonly mounted: readonly MountedDialect[];
  readonly identity: Identity;
  readonly stages: Pick<Stages, 'asks' | 'isAway'>;
  readonly metrics: Pick<Metrics, 'legacyCall'>;
  /** What each call says of this server (loop.ts). */
  readonly via: string;
  readonly ownPorts: readonly number[];
  readonly sightings?: Pick<Sightings, 'answered'>;
}): LegacyCalls {
  const { identity, stages } = options;
  const all = options.mounted.flatMap((mounted) => startOne(mounted, options));
  const isAway = ({ mounted }: Running) => stages.isAway(mounted.dialect.name);
  return {
    dialects: all.map(({ mounted }) => mounted.dialect.name),
    clientOf: (name) => all.find(({ mounted }) => mounted.dialect.name === name)?.mounted.clientId,
    async asked(organization, channel) {
      const due = all.filter(
        ({ mounted: { dialect } }) =>
          (channel === 'hosted' || channel === dialect.name) && stages.asks(dialect.name, organization),
      );
      const found = await Promise.all(
        due.map(async (running) => {
          const view = await servedOrganization(identity, running, organization);
          return view && systemOf(running, view, isAway);
        }),
      );
      return found.filter((system) => system !== undefined);
    },
    async send(name, request, options = { limited: false }) {
      const running = all.find(({ mounted }) => mounted.dialect.name === name);
      if (running === undefined) return { away: 'there is no legacy system' };
      if (isAway(running)) return rehearsed;
      const asItIs = (result: WireReply) => ({ result, outcome: 'good' as const });
      const answer = await running.line.call(request, asItIs, options);
      if ('result' in answer) return answer.result;
      const about = { dialect: name, host: new URL(running.legacy.url).host, reason: answer.away };
      if (answer.made) identity.log.warn(about, 'the legacy system gave no answer');
      return answer;
    },
    async confirm(name, heard, at) {
      const running = all.find(({ mounted }) => mounted.dialect.name === name);
      if (running === undefined) return { away: 'there is no legacy system' };
      const deadline = performance.now() + running.legacy.timeout;
      return believed(running, heard, { ...at, deadline });
    },
    async close() {
      await Promise.all(all.map(({ sessions }) => sessions.close()));
      await Promise.all(all.flatMap(({ line, tokenJudge }) => [line.close(), tokenJudge?.close()]));
    },
  };
}

const rehearsed: Away = { away: 'its end is rehearsed', retryAfter: REHEARSED };

function startOne(mounted: MountedDialect, options: Parameters<typeof createLegacySystems>[0]): Running[] {
  const { legacy, dialect } = mounted;
  const { legacy: api, name } = dialect;
  if (legacy === undefined || api === undefined) return [];
  const { via, ownPorts, metrics, sightings } = options;
  const { clock, log, stores, audit } = options.identity;
  const line = openLine({ dialect: name, legacy, via, ownPorts, clock, log, sightings });
  const ask = createAsker({ mounted, line, log, metrics });
  const { roleOf } = api;
  const judge = createYesJudge({
    ...{ dialect: name, legacy, accounts: stores.accounts, audit },
    ...(roleOf && { roleOf }),
  });
  const sessions = createSessionEnder({ signOut: api.signOut, ask, timeout: legacy.timeout });
  const tokenJudge = createTokenJudge({ legacy, via, ownPorts, clock, log });
  return [{ mounted, legacy, api, line, ask, judge, sessions, tokenJudge, identity: options.identity }];
}

/** Undefined: it is not asked about the organization, or there is none. */
async function servedOrganization(
  identity: Identity,
  { mounted }: Running,
  id: string,
): Promise<OrganizationView | undefined> {
  const view = await directoryOf(identity, mounted.dialect.name).byId(id);
  return view !== undefined && serves(mounted, view) ? view : undefined;
}

/* ------------------------------------------------------------------ one system, for one organization */

function systemOf(
  running: Running,
  organization: OrganizationView,
  isAway: (running: Running) => boolean,
): LegacySystem {
  const { mounted, legacy, api, line } = running;
  const bound =
    <Asked>(name: QuestionName, question: Question<Asked>, login?: (asked: Asked) => string | undefined) =>
    (asked: Asked, context: RequestContext): Promise<LegacyAnswer> =>
      isAway(running)
        ? Promise.resolve(rehearsed)
        : answerTo(running, { name, question, asked, login: login?.(asked) }, { organization, context });
  const { signIn, person, refresh, social, sendCode, code, reset, register, singleSignOn } = api;
  const { resetLink, setPassword, verifyAddress } = api;
  return {
    dialect: mounted.dialect.name,
    rules: rulesOf(legacy),
    outage: () => (isAway(running) ? REHEARSED : line.outage()),
    ...(signIn && { signIn: bound('signIn', signIn, ({ login }) => login) }),
    person: personOf(running, bound('person', withClaims(person)), organization.id),
    ...(refresh && { refresh: bound('refresh', refresh) }),
    ...(social && { social: bound('social', social) }),
    ...(sendCode && { sendCode: bound('sendCode', sendCode) }),
    ...(code && { code: bound('code', code, ({ email }) => email) }),
    ...(reset && { reset: bound('reset', reset) }),
    ...(resetLink && { resetLink: bound('resetLink', resetLink) }),
    ...(setPassword && { setPassword: bound('setPassword', setPassword) }),
    ...(verifyAddress && { verifyAddress: bound('verifyAddress', verifyAddress) }),
    ...(register && { register: bound('register', register, ({ email }) => email) }),
    ...(singleSignOn && { singleSignOn: bound('singleSignOn', singleSignOn) }),
  };
}

type AskPerson = NonNullable<LegacySystem['person']>;

/** Whose a token is: its signature is judged first, where there is a key. */
function personOf(
  { legacy, tokenJudge, mounted, identity }: Running,
  ask: AskPerson,
  organization: string,
): AskPerson {
  if (tokenJudge === undefined) return ask;
  const { ask: mode, subject } = legacy.tokens;
  return async (asked, context) => {
    if (mode === 'always' && asked.token.split('.').length !== 3) return ask(asked, context);
    const verdict = await tokenJudge.judge(asked.token);
    if (verdict === 'forged') return 'no';
    if ('away' in verdict) return verdict;
    if (mode === 'always') return ask(asked, context);
    const vendorId = textAt(verdict.claims, subject);
    const account = vendorId && (await identity.stores.accounts.byAlias(mounted.dialect.name, vendorId));
    // The token says who it is and no more: people who are not known here yet cannot be taken over.
    return account && account.organization === organization
      ? { yes: { organization, vendorId, account: {} } }
      : 'no';
  };
}

function rulesOf({ addresses, recheck, floor, registration }: LegacySettings): LegacyRules {
  return { addressesVerified: addresses === 'verified', recheck, floor, registration };
}

interface Asking<Asked> {
  readonly name: QuestionName;
  readonly question: Question<Asked>;
  readonly asked: Asked;
  readonly login: string | undefined;
}

/** Questions whose yes says only that they were heard. */
const HEARD: readonly QuestionName[] = ['sendCode', 'reset', 'resetLink', 'setPassword', 'verifyAddress'];
/** Questions to which the same request gets no second yes. */
const ONCE: readonly QuestionName[] = ['refresh', 'code', 'register'];

/** The whole of it has the time of one call. */
async function answerTo<Asked>(
  running: Running,
  { name, question, asked, login }: Asking<Asked>,
  at: Pick<About, 'organization' | 'context'>,
): Promise<LegacyAnswer> {
  const { legacy, ask, sessions, identity, mounted } = running;
  const about = { ...at, deadline: performance.now() + legacy.timeout };
  const organization = at.organization.id;
  const request = [mounted.dialect.name, organization, name, asked];
  const kept = ONCE.includes(name) ? keptYes(identity, request) : undefined;
  const before = await kept?.read();
  const first = before === undefined ? await ask(name, question, asked, about) : yesIn(before);
  if (first === 'no' || 'away' in first) return first;
  if (HEARD.includes(name)) return { yes: { organization, account: {} } };
  const { tokens } = first;
  const result = await believed(running, { question: name, first, token: tokenIn(asked), login }, about);
  if ('away' in result && kept !== undefined) {
    await kept.keep(JSON.stringify(first));
    return result;
  }
  if (before !== undefined) await kept?.forget();
  if (tokens !== undefined) sessions.end(tokens, at);
  return 'away' in result ? result : { ...result, ...(tokens && { tokens }) };
}

type Yes = Exclude<Read, 'no'>;

/** A yes that was kept as JSON. */
function yesIn(text: string): Yes {
  const { yes, ...rest }: Yes = JSON.parse(text);
  const { createdAt, updatedAt } = yes;
  const dates = {
    ...(createdAt && { createdAt: new Date(createdAt) }),
    ...(updatedAt && { updatedAt: new Date(updatedAt) }),
  };
  return { ...rest, yes: { ...yes, ...dates } };
}

async function believed(
  running: Running,
  { question, first, login, token: shown }: HeardYes,
  about: About,
): Promise<{ readonly yes: ConfirmedPerson } | Away> {
  const token = first.tokens?.access?.value ?? shown;
  const whole = await completed(running, { first, token, isPerson: question === 'person' }, about);
  if ('away' in whole) return whole;
  const { organization, context } = about;
  const yes = await running.judge({ question, login, yes: whole, organization: organization.id, context });
  return 'away' in yes ? yes : { yes };
}

/** What the first answer does not say is asked for, as its bearer. */
async function completed(
  { api, ask }: Running,
  { first, token, isPerson }: { first: Exclude<Read, 'no'>; token: string | undefined; isPerson: boolean },
  about: About,
): Promise<Confirmed | Away> {
  let { yes, more } = first;
  const steps = [...(isPerson ? [] : [['person', api.person] as const]), ['details', api.details] as const];
  for (const [name, question] of steps) {
    if (more !== true || question === undefined) break;
    if (token === undefined) return { away: 'a yes without a token' };
    const { vendorId } = yes;
    const bearer = { token, ...(vendorId !== undefined && { vendorId }) };
    const answer = await ask(name, withClaims(question), bearer, about);
    if (answer === 'no') return { away: 'it does not know its own token' };
    if ('away' in answer) return answer;
    if (areTwo(yes, answer.yes)) return { away: 'two answers about two people' };
    yes = joined(yes, answer.yes);
    more = answer.more;
  }
  return yes;
}

function areTwo(one: Confirmed, other: Confirmed): boolean {
  const differ = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && normalizeEmail(a) !== normalizeEmail(b);
  return differ(one.vendorId, other.vendorId) || differ(one.account.email, other.account.email);
}

function tokenIn(asked: unknown): string | undefined {
  const isBearer = typeof asked === 'object' && asked !== null && 'token' in asked;
  return isBearer && typeof asked.token === 'string' ? asked.token : undefined;
}
