/**
 * The account pages, for a person who is signed in with the session of the OIDC server: path, guard and
 * handler of each. Each form calls one function of identity/ and leads to a page (post, redirect, get); where
 * it is refused, the page named beside it is shown again.
 *
 * Guards: `open` asks nothing. `person` lets a person who is signed in through, and sends everyone else to
 * sign in and back. `personForm` does so for a form, which must come from our own page, in this browser, and be
 * made for this account. `recent` and `recentForm` besides require a sign-in of the last minutes; after it the
 * browser comes back to the page whose path is named.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { FORM_TOKEN } from '../../http/forms/csrf.ts';
import { pageGuards } from '../../http/forms/guards.ts';
import { readForm } from '../../http/forms/read-form.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { access, endGrant, endSession } from './access.ts';
import { address, addressCode, changeAddress, confirmAddress, proveNewAddress } from './address.ts';
import { data, download } from './data.ts';
import { endPassword, makePassword } from './factors/app-passwords.ts';
import { appPage, beginApp, confirmApp, factors, removeApp, renewCodes } from './factors/codes.ts';
import { dropDevice } from './factors/devices.ts';
import { addPasskey, dropPasskey } from './factors/passkeys.ts';
import { deleteKey, keys, makeKey } from './keys.ts';
import { arrivedToLink, goLink } from './link-sign-in.ts';
import { overview } from './overview.ts';
import { changePassword, firstPassword, password } from './password.ts';
import { profile, saveProfile } from './profile.ts';
import { remove, removed, removeForGood, sendCodeForRemoval } from './remove.ts';
import { formsOf } from './render.ts';
import {
  type AccountForm,
  type AccountPage,
  again,
  askToSignIn,
  findVisit,
  signedIn,
  type Visit,
} from './session.ts';
import { signIns, unlink } from './sign-ins.ts';

export function accountRoutes(deps: PageDeps) {
  const { open } = pageGuards(deps);
  const { person, recent, personForm, recentForm } = guards(deps);
  return new Router({ sensitive: true, prefix: '/account' })
    .get('/', person(overview))
    .get('/signed-in', open(signedIn))
    .get('/again', open(again))
    .get('/profile', person(profile))
    .post('/profile', personForm(saveProfile, profile))
    .get('/address', person(address))
    .post('/address/confirm', personForm(confirmAddress, address))
    .post('/address', recentForm('/account/address', changeAddress, address))
    .get('/address/code', person(addressCode))
    .post('/address/code', personForm(proveNewAddress, addressCode))
    .get('/password', person(password))
    .post('/password', personForm(changePassword, password))
    .post('/password/first', recentForm('/account/password', firstPassword, password))
    .get('/factors', person(factors))
    .post('/factors/app/new', recentForm('/account/factors', beginApp, factors))
    .get('/factors/app', recent('/account/factors', appPage))
    .post('/factors/app', recentForm('/account/factors', confirmApp, appPage))
    .post('/factors/app/remove', recentForm('/account/factors', removeApp, factors))
    .post('/factors/passkeys', recentForm('/account/factors', addPasskey, factors))
    .post('/factors/passkeys/remove', recentForm('/account/factors', dropPasskey, factors))
    .post('/factors/devices/forget', personForm(dropDevice, factors))
    .post('/factors/codes', recentForm('/account/factors', renewCodes, factors))
    .post('/factors/app-passwords', recentForm('/account/factors', makePassword, factors))
    .post('/factors/app-passwords/end', recentForm('/account/factors', endPassword, factors))
    .get('/sign-ins', person(signIns))
    .post('/sign-ins/link', recentForm('/account/sign-ins', goLink, signIns))
    .get('/sign-ins/arrived', person(arrivedToLink))
    .post('/sign-ins/unlink', recentForm('/account/sign-ins', unlink, signIns))
    .get('/access', person(access))
    .post('/access/session', personForm(endSession, access))
    .post('/access/grant', personForm(endGrant, access))
    .get('/keys', person(keys))
    .post('/keys', recentForm('/account/keys', makeKey, keys))
    .post('/keys/delete', personForm(deleteKey, keys))
    .get('/data', person(data))
    .get('/data.json', recent('/account/data', download))
    .get('/delete', recent('/account/delete', remove))
    .post('/delete/code', recentForm('/account/delete', sendCodeForRemoval, remove))
    .post('/delete', recentForm('/account/delete', removeForGood, remove))
    .get('/deleted', open(removed))
    .routes();
}

function mustProve({ lacksFactor, recent }: Visit, again: string | undefined): boolean {
  return lacksFactor || (again !== undefined && !recent);
}

function guards(deps: PageDeps) {
  const shown =
    (shows: AccountPage, again?: string): Middleware =>
    async (ctx) => {
      const visit = await findVisit(deps, ctx);
      if (visit === undefined) await askToSignIn({ deps, ctx }, again ?? ctx.path);
      else if (mustProve(visit, again)) await askToSignIn(visit, again ?? ctx.path);
      else await shows(visit);
    };
  const submitted =
    (submits: AccountForm, shows: AccountPage, again?: string): Middleware =>
    async (ctx) => {
      const form = await readForm(ctx.req);
      deps.forms.refuseForeignOrigin(ctx);
      const visit = await findVisit(deps, ctx, form);
      if (visit === undefined) return askToSignIn({ deps, ctx }, again ?? '/account');
      deps.forms.check(ctx, formsOf(visit), form.get(FORM_TOKEN) ?? undefined);
      if (mustProve(visit, again)) return askToSignIn(visit, again ?? '/account');
      try {
        const next = await submits(visit);
        if (next !== undefined) seeOther(ctx, next);
      } catch (error) {
        await shows(visit, refusedBy(deps, ctx, error));
      }
    };
  return {
    person: (shows: AccountPage) => shown(shows),
    recent: (path: string, shows: AccountPage) => shown(shows, path),
    personForm: (submits: AccountForm, shows: AccountPage) => submitted(submits, shows),
    recentForm: (path: string, submits: AccountForm, shows: AccountPage) => submitted(submits, shows, path),
  };
}
