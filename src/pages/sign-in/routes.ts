/**
 * The steps of a sign-in, and where upstreams answer: path, guard and handler of each. Guards: guards.ts.
 * `/interaction/:uid/*step` is a step that was reloaded by its address, which only takes forms: the
 * interaction knows which page is due.
 */
import Router from '@koa/router';
import { seeOther } from '../../http/views/send-page.ts';
import type { PageDeps } from '../shared/deps.ts';
import { upstreamAnswered } from '../shared/upstream-trip.ts';
import { enterCode, sendCodeAgain, showCodeForm } from './code.ts';
import { consent } from './consent.ts';
import { enterAppCode, enterRecoveryCode } from './factors/codes.ts';
import { usePasskey } from './factors/passkey.ts';
import {
  beginApp,
  confirmApp,
  goOn,
  putOff,
  setUpPasskey,
  showApp,
  showDone,
  showSetUp,
} from './factors/set-up.ts';
import { signInGuards } from './guards.ts';
import { anotherMethod, cancel, chooseAccount, showStep } from './interaction.ts';
import { chooseOrganization, showOrganization } from './organization.ts';
import { showSignIn, signIn } from './password.ts';
import { begin, finish, register, registerCode, resend } from './register.ts';
import { confirmPassword, showPerson, showSecondProof } from './second-factor.ts';
import { arrived, giveName, goUpstream } from './upstream.ts';

export function signInRoutes(deps: PageDeps) {
  const { form, signInPage, signInForm, organizationForm, registrationPage, registrationForm, answer } =
    signInGuards(deps);
  return new Router({ sensitive: true })
    .get('/interaction/:uid', signInPage(showStep))
    .post('/interaction/:uid/organization', organizationForm(chooseOrganization, showOrganization))
    .post('/interaction/:uid/sign-in', signInForm(signIn, showSignIn))
    .post('/interaction/:uid/name', signInForm(giveName, showSignIn))
    .post('/interaction/:uid/code/send', signInForm(sendCodeAgain, showCodeForm))
    .post('/interaction/:uid/code', signInForm(enterCode, showCodeForm))
    .post('/interaction/:uid/password', signInForm(confirmPassword, showPerson))
    .post('/interaction/:uid/passkey', signInForm(usePasskey, showStep))
    .post('/interaction/:uid/app-code', signInForm(enterAppCode, showSecondProof))
    .post('/interaction/:uid/recovery-code', signInForm(enterRecoveryCode, showSecondProof))
    .post('/interaction/:uid/factor/passkey', signInForm(setUpPasskey, showSetUp))
    .post('/interaction/:uid/factor/app/new', signInForm(beginApp))
    .get('/interaction/:uid/factor/app', signInPage(showApp))
    .post('/interaction/:uid/factor/app', signInForm(confirmApp, showApp))
    .post('/interaction/:uid/factor/later', signInForm(putOff))
    .get('/interaction/:uid/factor/done', signInPage(showDone))
    .post('/interaction/:uid/factor/go-on', signInForm(goOn))
    .post('/interaction/:uid/account', signInForm(chooseAccount))
    .post('/interaction/:uid/another', signInForm(anotherMethod))
    .post('/interaction/:uid/with/:provider', signInForm(goUpstream))
    .get('/interaction/:uid/arrived', signInPage(arrived))
    .get('/federation/:provider/callback', answer(upstreamAnswered))
    .post('/federation/:provider/callback', answer(upstreamAnswered))
    .post('/interaction/:uid/consent', form(consent))
    .post('/interaction/:uid/cancel', form(cancel))
    .get('/interaction/:uid/register', registrationPage(register))
    .post('/interaction/:uid/register', registrationForm(begin, register))
    .get('/interaction/:uid/register/code', registrationPage(registerCode))
    .post('/interaction/:uid/register/code', registrationForm(finish, registerCode))
    .post('/interaction/:uid/register/again', registrationForm(resend, registerCode))
    .get('/interaction/:uid/*step', (ctx) =>
      seeOther(ctx, `/interaction/${encodeURIComponent(ctx.params.uid ?? '')}`),
    )
    .routes();
}
