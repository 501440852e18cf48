/**
 * The map of the account pages: what a person does with their own account, signed in with the session of the
 * OIDC server.
 *
 * Guards: `open` asks nothing. `person` lets whoever is signed in through, and sends everybody else to sign
 * in and back. `personForm` does so for a form, which must come from our own page, in this browser, and be
 * made for this account. `recent` and `recentForm` want a sign-in of the last minutes besides; after it the
 * browser comes back to the page that is named.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { FORM_TOKEN, type Forms } from '../../http/forms/csrf.ts';
import { pageGuards, type Shows } from '../../http/forms/guards.ts';
import { type FormFields, readForm } from '../../http/forms/read-form.ts';
import type { AccountRecord } from '../../model/account.ts';

/** Who is signed in. */
export interface Person {
  readonly account: AccountRecord;
  readonly sessionUid: string;
  /** The sign-in was the person's own, not single sign-on. */
  readonly inPerson: boolean;
  /** It is minutes old besides. */
  readonly recent: boolean;
}

export type ShowsPerson = (ctx: Context, person: Person) => Promise<void> | void;
export type SubmitsPerson = (ctx: Context, form: FormFields, person: Person) => Promise<void>;

export interface AccountHandlers {
  readonly find: (ctx: Context) => Promise<Person | undefined>;
  /** Sends the browser to sign in (`person`: again) and then to the page. */
  readonly askToSignIn: (ctx: Context, page: string, person?: Person) => Promise<void>;
  readonly signedIn: Shows;
  readonly again: ShowsPerson;
  readonly overview: ShowsPerson;
  readonly profile: ShowsPerson;
  readonly saveProfile: SubmitsPerson;
  readonly address: ShowsPerson;
  readonly confirmAddress: SubmitsPerson;
  readonly changeAddress: SubmitsPerson;
  readonly addressCode: ShowsPerson;
  readonly proveAddress: SubmitsPerson;
  readonly password: ShowsPerson;
  readonly changePassword: SubmitsPerson;
  readonly firstPassword: SubmitsPerson;
  readonly signIns: ShowsPerson;
  readonly unlink: SubmitsPerson;
  readonly access: ShowsPerson;
  readonly endSession: SubmitsPerson;
  readonly endGrant: SubmitsPerson;
  readonly keys: ShowsPerson;
  readonly makeKey: SubmitsPerson;
  readonly deleteKey: SubmitsPerson;
  readonly data: ShowsPerson;
  readonly download: ShowsPerson;
  readonly remove: ShowsPerson;
  readonly sendDeletionCode: SubmitsPerson;
  readonly removeForGood: SubmitsPerson;
  readonly removed: Shows;
}

export function accountRoutes(pages: AccountHandlers, forms: Forms): Middleware {
  const { open } = pageGuards(forms);
  const { person, recent, personForm, recentForm } = guards(pages, forms);
  return new Router({ sensitive: true, prefix: '/account' })
    .get('/', person(pages.overview))
    .get('/signed-in', open(pages.signedIn))
    .get('/again', person(pages.again))
    .get('/profile', person(pages.profile))
    .post('/profile', personForm(pages.saveProfile))
    .get('/address', person(pages.address))
    .post('/address/confirm', personForm(pages.confirmAddress))
    .post('/address', recentForm('/account/address', pages.changeAddress))
    .get('/address/code', person(pages.addressCode))
    .post('/address/code', personForm(pages.proveAddress))
    .get('/password', person(pages.password))
    .post('/password', personForm(pages.changePassword))
    .post('/password/first', recentForm('/account/password', pages.firstPassword))
    .get('/sign-ins', person(pages.signIns))
    .post('/sign-ins/unlink', recentForm('/account/sign-ins', pages.unlink))
    .get('/access', person(pages.access))
    .post('/access/session', personForm(pages.endSession))
    .post('/access/grant', personForm(pages.endGrant))
    .get('/keys', person(pages.keys))
    .post('/keys', recentForm('/account/keys', pages.makeKey))
    .post('/keys/delete', personForm(pages.deleteKey))
    .get('/data', person(pages.data))
    .get('/data.json', recent('/account/data', pages.download))
    .get('/delete', recent('/account/delete', pages.remove))
    .post('/delete/code', recentForm('/account/delete', pages.sendDeletionCode))
    .post('/delete', recentForm('/account/delete', pages.removeForGood))
    .get('/deleted', open(pages.removed))
    .routes() as unknown as Middleware;
}

/** What the forms of an account's pages are bound to. */
export function formsOf({ account }: Person): string {
  return `account:${account.id}`;
}

function guards(pages: AccountHandlers, forms: Forms) {
  const shown =
    (shows: ShowsPerson, again?: string): Middleware =>
    async (ctx) => {
      const person = await pages.find(ctx);
      if (person === undefined) await pages.askToSignIn(ctx, again ?? ctx.path);
      else if (again !== undefined && !person.recent) await pages.askToSignIn(ctx, again, person);
      else await shows(ctx, person);
    };
  const submitted =
    (submits: SubmitsPerson, again?: string): Middleware =>
    async (ctx) => {
      const form = await readForm(ctx.req);
      forms.refuseForeignOrigin(ctx);
      const person = await pages.find(ctx);
      if (person === undefined) {
        await pages.askToSignIn(ctx, again ?? '/account');
        return;
      }
      forms.check(ctx, formsOf(person), form.get(FORM_TOKEN) ?? undefined);
      if (again !== undefined && !person.recent) await pages.askToSignIn(ctx, again, person);
      else await submits(ctx, form, person);
    };
  return {
    person: (shows: ShowsPerson) => shown(shows),
    recent: (page: string, shows: ShowsPerson) => shown(shows, page),
    personForm: (submits: SubmitsPerson) => submitted(submits),
    recentForm: (page: string, submits: SubmitsPerson) => submitted(submits, page),
  };
}
