/**
 * What Portico takes along while the legacy system answers (stage proxy): people, their passwords, their tokens, from
 * replies that clients have already got. A bounded queue; what does not fit is dropped and counted, and passwords are
 * hashed behind all sign-ins. A person who came by once needs the legacy system no more.
 */
import { Refused } from '../core/refused.ts';
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { Answer } from '../dialects/contract/legacy-api.ts';
import { adoptTokens } from '../dialects/runtime/adopt-tokens.ts';
import { directoryOf, NO_ORGANIZATION } from '../dialects/runtime/directory.ts';
import type { PassedExchange } from '../dialects/runtime/legacy-traffic.ts';
import type { MigratingDialect, MountedDialect } from '../dialects/runtime/mounted.ts';
import type { Identity, RequestContext } from '../identity/context.ts';
import { takeOver } from '../identity/legacy/take-over.ts';
import type { ConfirmedPerson } from '../identity/legacy-systems.ts';
import type { AccountRecord } from '../model/account.ts';
import type { GrantIssuer } from '../oidc/grant-contract.ts';
import type { LegacyCalls } from './legacy-systems.ts';
import { type PassedQuestion, passedQuestion } from './passed-question.ts';
import { placeOf } from './question.ts';
import { createRecently, type Recently } from './recently.ts';

/** Exchanges that wait, and the bytes of all of them; exchanges that are worked on at once. */
const LONGEST_QUEUE = 256;
const LARGEST_QUEUE = 16 * 1024 * 1024;
const AT_ONCE = 4;

/** Seconds for which a person who was refused is not asked about again, and what is noted instead of an account. */
const REFUSED_FOR = 60;
const REFUSED = 'refused';

/** 'refused': deleted or blocked here, or another account is in the way. */
export type LearnOutcome =
  | 'learned'
  | 'ended'
  | 'counted'
  | 'nothing'
  | 'refused'
  | 'away'
  | 'failed'
  | 'dropped';

export interface LearnerOptions {
  /** Its hasher lets sign-ins go first. */
  readonly identity: Identity;
  readonly calls: Pick<LegacyCalls, 'confirm'>;
  readonly grants: Pick<
    GrantIssuer,
    'adopt' | 'adoptionOf' | 'refuseAdoption' | 'grantOf' | 'endGrant' | 'destroyAccess'
  >;
  readonly issuer: string;
  readonly count: (dialect: string, outcome: LearnOutcome) => void;
  /** Whose request it was. */
  readonly saw: (person: { dialect: string; organization: string; accountId: string }) => void;
}

export interface Learner {
  /** At once; what is learned comes later. */
  learn(exchange: PassedExchange): void;
  /** Now; resolves when it is learned. Never rejects. */
  learnNow(exchange: PassedExchange): Promise<void>;
  /** Ends what is under way; what waits is left. */
  close(): Promise<void>;
}

export function createLearner(options: LearnerOptions): Learner {
  const { identity, count } = options;
  const waiting: PassedExchange[] = [];
  let bytes = 0;
  const running = new Set<Promise<void>>();
  const recently = createRecently(identity);

  async function work(exchange: PassedExchange): Promise<void> {
    const { name } = exchange.mounted.dialect;
    try {
      count(name, await learnFrom({ ...options, recently }, exchange));
    } catch (error) {
      count(name, 'failed');
      identity.log.warn({ err: error }, 'nothing could be learned from a reply of the legacy system');
    }
  }

  function next(): void {
    const exchange = running.size < AT_ONCE ? waiting.shift() : undefined;
    if (exchange === undefined) return;
    bytes -= sizeOf(exchange);
    const done = work(exchange).finally(() => {
      running.delete(done);
      next();
    });
    running.add(done);
  }

  const learns = ({ mounted: { legacy } }: PassedExchange) => legacy !== undefined && legacy.learn.length > 0;

  return {
    learnNow: async (exchange) => (learns(exchange) ? work(exchange) : undefined),
    learn(exchange) {
      const { dialect } = exchange.mounted;
      if (!learns(exchange)) return;
      const isFull = waiting.length >= LONGEST_QUEUE || bytes + sizeOf(exchange) > LARGEST_QUEUE;
      if (isFull) return count(dialect.name, 'dropped');
      waiting.push(exchange);
      bytes += sizeOf(exchange);
      // The client has its reply before this node works for its own sake.
      setImmediate(next);
    },
    async close() {
      waiting.length = 0;
      await Promise.all(running);
    },
  };
}

function sizeOf({ request, reply }: PassedExchange): number {
  const texts = [request.target, ...request.headers, ...reply.headers];
  const bodies = request.body.byteLength + reply.body.byteLength;
  return texts.reduce((sum, text) => sum + text.length, bodies);
}

/* ------------------------------------------------------------------ one exchange */

type Deps = LearnerOptions & { readonly recently: Recently };

type Yes = Extract<Answer, { readonly yes: unknown }>;

interface Lesson {
  readonly mounted: MountedDialect;
  readonly legacy: MigratingDialect['legacy'];
  readonly organization: OrganizationView;
  readonly context: RequestContext;
  readonly question: PassedQuestion;
}

async function lessonOf(deps: Deps, exchange: PassedExchange): Promise<Lesson | undefined> {
  const { mounted, context } = exchange;
  const { dialect, settings, legacy } = mounted;
  if (legacy === undefined || dialect.legacy === undefined) return undefined;
  const directory = directoryOf(deps.identity, dialect.name);
  const named = await exchange.organization();
  const meant = named === undefined ? NO_ORGANIZATION : await directory.byId(named);
  if (meant === undefined) return undefined;
  const question = await passedQuestion(dialect.legacy, exchange, {
    ...{ settings, organization: meant },
    patternOf: placeOf(mounted).patternOf,
  });
  if (question === undefined) return undefined;
  const decided = named ?? (await organizationOfToken(deps, mounted, question));
  const organization = decided === undefined ? undefined : await directory.byId(decided);
  if (organization === undefined || legacy.organizations?.includes(organization.id) === false)
    return undefined;
  return { mounted, legacy, organization, context, question };
}

/** Where the request names none, the token that it shows decides (VSee's refresh and sign-out). */
async function organizationOfToken(
  { grants, identity }: Deps,
  { clientId }: MountedDialect,
  { values }: PassedQuestion,
): Promise<string | undefined> {
  const token = values.refreshToken ?? values.token;
  const grant = token === undefined ? undefined : await grants.grantOf(token, clientId);
  return grant && (await identity.stores.accounts.byId(grant.accountId))?.organization;
}

async function learnFrom(deps: Deps, exchange: PassedExchange): Promise<LearnOutcome> {
  const lesson = await lessonOf(deps, exchange);
  if (lesson === undefined) return 'nothing';
  const { mounted, legacy, organization, context, question } = lesson;
  const { name, values, answer } = question;
  if (answer !== 'no' && !('yes' in answer)) return 'nothing';
  if (name === 'signOut' || (name === 'person' && answer === 'no')) return endLearned(deps, lesson);
  if (answer === 'no') return countAttempt(deps, lesson);
  // A registration tells too little of a person; its tokens lead to the rest.
  if (name === 'register' && answer.tokens === undefined) return 'nothing';
  const { tokens = name === 'person' ? { access: { value: values.token ?? '' } } : {} } = answer;
  if (deps.recently.accountOf(keyOf(lesson), REFUSED_FOR) === REFUSED) return 'refused';
  const known = await knownAccount(deps, lesson);
  const account = known ?? (await takenOver(deps, lesson, answer));
  if (account === 'refused') deps.recently.note(keyOf(lesson), REFUSED);
  if (typeof account === 'string') return account;
  deps.saw({ dialect: mounted.dialect.name, organization: organization.id, accountId: account.id });
  if (name === 'person' && known !== undefined) return 'nothing';
  await countAttempt(deps, lesson, account);
  if (legacy.learn.includes('tokens'))
    await adoptTokens(deps, { mounted, account, organization, tokens, context });
  deps.recently.note(keyOf(lesson), account.id);
  return 'learned';
}

function keyOf({ mounted, organization, question: { name, values } }: Lesson): string[] {
  return [mounted.dialect.name, organization.id, name, ...Object.values(values)];
}

/** A client that showed the same a moment ago, or a token that was learned, leaves no more to find out. */
async function knownAccount(
  { recently, grants, identity }: Deps,
  lesson: Lesson,
): Promise<AccountRecord | undefined> {
  const { legacy, mounted, question } = lesson;
  const { name, values } = question;
  const age = name === 'signIn' ? legacy.recheck : legacy.tokens.recheck;
  const token = values.refreshToken ?? values.token;
  const byToken = token === undefined ? undefined : await grants.grantOf(token, mounted.clientId);
  const id = recently.accountOf(keyOf(lesson), age) ?? byToken?.accountId;
  return id === undefined ? undefined : identity.stores.accounts.byId(id);
}

/** The account of the person that the reply shows, made or completed. */
async function takenOver(
  { identity, calls }: Deps,
  { mounted, legacy, organization, context, question }: Lesson,
  answer: Yes,
): Promise<AccountRecord | LearnOutcome> {
  const { name, values } = question;
  const { dialect } = mounted;
  const { token, login = values.email } = values;
  const heard = { question: name, first: answer, token, login };
  const confirmed = await calls.confirm(dialect.name, heard, { organization, context });
  if ('away' in confirmed) return 'away';
  const person = confirmed.yes;
  if (!legacy.learn.includes('accounts') && !(await isKnown(identity, dialect.name, person)))
    return 'nothing';
  const password = legacy.learn.includes('passwords') ? values.password : undefined;
  const taken = await takeOver(identity, {
    ...{ dialect: dialect.name, person, context },
    addressesVerified: legacy.addresses === 'verified',
    ...(name === 'signIn' && password !== undefined && { password }),
    addressProven: name === 'code',
    admits: ({ status }) => status !== 'blocked',
  });
  return typeof taken === 'string' ? 'refused' : taken.account;
}

async function isKnown(
  { stores }: Identity,
  dialect: string,
  { organization, vendorId, account }: ConfirmedPerson,
): Promise<boolean> {
  const byId = vendorId === undefined ? undefined : await stores.accounts.byAlias(dialect, vendorId);
  if (byId !== undefined || account.email === undefined) return byId !== undefined;
  return (await stores.accounts.byEmail(organization, account.email)) !== undefined;
}

/** The legacy system knows the token no more. An access token that ended says nothing about the sign-in behind it. */
async function endLearned({ grants }: Deps, { mounted, question }: Lesson): Promise<LearnOutcome> {
  const { name, values, answer } = question;
  const token = values.token ?? '';
  if (name === 'person') return (await grants.destroyAccess(token, mounted.clientId)) ? 'ended' : 'nothing';
  const grantOf = () => grants.grantOf(token, mounted.clientId);
  let grant = await grantOf();
  // The sign-in may still wait to be learned, or be learned just now.
  if (grant === undefined && answer !== 'no' && !(await grants.refuseAdoption(token)))
    grant = (await grants.adoptionOf(token)) === 'alive' ? await grantOf() : undefined;
  if (grant === undefined) return 'nothing';
  await grants.endGrant(grant.grantId);
  return 'ended';
}

/** What it counts refuses no person yet; the counters are warm when Portico answers. */
async function countAttempt(
  { identity }: Deps,
  { organization, context, question }: Lesson,
  account?: AccountRecord,
): Promise<LearnOutcome> {
  const { values, name: kind } = question;
  const name = values.login ?? values.email;
  if (name === undefined || (kind !== 'signIn' && kind !== 'code')) return 'nothing';
  const { address } = context;
  const present =
    account ?? (await identity.stores.accounts.byLogin(organization.id, name, ['email', 'username']));
  try {
    const code = kind === 'code';
    const who = { organization: organization.id, accountId: present?.id, name, address, code };
    const attempt = await identity.attempts.begin(who);
    if (account === undefined) await attempt.failed();
    else await attempt.succeeded(account.id);
  } catch (refusal) {
    // The counters are full, which is all that one more could make them.
    if (!(refusal instanceof Refused)) throw refusal;
  }
  return 'counted';
}
