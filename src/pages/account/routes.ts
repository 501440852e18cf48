/**
 * The account pages, for a person who is signed in with the session of the OIDC server: path, guard and
 * handler of each. Each form is parsed, calls one function of identity/, and leads back to a page (post,
 * redirect, get).
 *
 * Guards: `open` asks nothing. `person` lets a person who is signed in through, and sends everyone else to
 * sign in and back. `personForm` does so for a form, which must come from our own page, in this browser, and be
 * made for this account. `recent` and `recentForm` besides require a sign-in of the last minutes; after it the
 * browser comes back to the page that is named.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { FORM_TOKEN } from '../../http/forms/csrf.ts';
import { pageGuards } from '../../http/forms/guards.ts';
import { readForm } from '../../http/forms/read-form.ts';
import type { PageDeps } from '../shared/deps.ts';
import { access, endGrant, endSession } from './access.ts';
import { address, addressCode, changeAddress, confirmAddress, proveNewAddress } from './address.ts';
import { data, download } from './data.ts';
import { deleteKey, keys, makeKey } from './keys.ts';
import { overview } from './overview.ts';
import { changePassword, firstPassword, password } from './password.ts';
import { profile, saveProfile } from './profile.ts';
import { remove, removed, removeForGood, sendCodeForRemoval } from './remove.ts';
import { formsOf } from './render.ts';
import { type AccountForm, type AccountPage, again, askToSignIn, findPerson, signedIn } from './session.ts';
import { signIns, unlink } from './sign-ins.ts';

export function accountRoutes(deps: PageDeps) {
  const { open } = pageGuards(deps);
  const { person, recent, personForm, recentForm } = guards(deps);
  return new Router({ sensitive: true, prefix: '/account' })
    .get('/', person(overview))
    .get('/signed-in', open(signedIn))
    .get('/again', person(again))
    .get('/profile', person(profile))
    .post('/profile', personForm(saveProfile))
    .get('/address', person(address))
    .post('/address/confirm', personForm(confirmAddress))
    .post('/address', recentForm('/account/address', changeAddress))
    .get('/address/code', person(addressCode))
    .post('/address/code', personForm(proveNewAddress))
    .get('/password', person(password))
    .post('/password', personForm(changePassword))
    .post('/password/first', recentForm('/account/password', firstPassword))
    .get('/sign-ins', person(signIns))
    .post('/sign-ins/unlink', recentForm('/account/sign-ins', unlink))
    .get('/access', person(access))
    .post('/access/session', personForm(endSession))
    .post('/access/grant', personForm(endGrant))
    .get('/keys', person(keys))
    .post('/keys', recentForm('/account/keys', makeKey))
    .post('/keys/delete', personForm(deleteKey))
    .get('/data', person(data))
    .get('/data.json', recent('/account/data', download))
    .get('/delete', recent('/account/delete', remove))
    .post('/delete/code', recentForm('/account/delete', sendCodeForRemoval))
    .post('/delete', recentForm('/account/delete', removeForGood))
    .get('/deleted', open(removed))
    .routes();
}

function guards(deps: PageDeps) {
  const shown =
    (shows: AccountPage, again?: string): Middleware =>
    async (ctx) => {
      const person = await findPerson(deps, ctx);
      if (person === undefined) await askToSignIn(deps, ctx, again ?? ctx.path);
      else if (again !== undefined && !person.recent) await askToSignIn(deps, ctx, again, person);
      else await shows(deps, ctx, person);
    };
  const submitted =
    (submits: AccountForm, again?: string): Middleware =>
    async (ctx) => {
      const form = await readForm(ctx.req);
      deps.forms.refuseForeignOrigin(ctx);
      const person = await findPerson(deps, ctx);
      if (person === undefined) {
        await askToSignIn(deps, ctx, again ?? '/account');
        return;
      }
      deps.forms.check(ctx, formsOf(person), form.get(FORM_TOKEN) ?? undefined);
      if (again !== undefined && !person.recent) await askToSignIn(deps, ctx, again, person);
      else await submits(deps, ctx, person, form);
    };
  return {
    person: (shows: AccountPage) => shown(shows),
    recent: (page: string, shows: AccountPage) => shown(shows, page),
    personForm: (submits: AccountForm) => submitted(submits),
    recentForm: (page: string, submits: AccountForm) => submitted(submits, page),
  };
}
