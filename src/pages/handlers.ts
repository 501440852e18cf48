/**
 * The pages that people meet: sign-in, consent, the reset page that emails lead to, and the ways out when
 * something is over. One file per page: it parses its form, calls one function of identity/, and shows a
 * page or lets the provider go on. Where they are answered and what guards them is in http/routes.ts; the
 * provider's own pages (errors, logout) are provider-pages.ts; how they look is in views/ and public/.
 */

import { createAccountPages } from './account/handlers.ts';
import { front } from './front.ts';
import { askForReset, forgot, forgotSent } from './password-reset/request.ts';
import { resetDone, setNewPassword, showReset } from './password-reset/reset.ts';
import type { PageHandlers } from './routes.ts';
import type { PageDeps } from './shared/deps.ts';
import { whileItLasts } from './shared/while-it-lasts.ts';
import { cancel } from './sign-in/cancel.ts';
import { enterCode, sendCodeAgain } from './sign-in/code.ts';
import { consent } from './sign-in/consent.ts';
import { interaction } from './sign-in/interaction.ts';
import { giveName, signIn } from './sign-in/password.ts';
import { begin, finish, register, registerCode, resend } from './sign-in/register.ts';
import { confirmPassword } from './sign-in/second-factor.ts';
import { anotherMethod, chooseAccount } from './sign-in/select-account.ts';
import { arrived, goUpstream, upstreamAnswered } from './sign-in/upstream.ts';

export function createPages(deps: PageDeps): PageHandlers {
  return {
    front: front(deps),
    interaction: whileItLasts(deps, interaction(deps)),
    signIn: whileItLasts(deps, signIn(deps)),
    giveName: whileItLasts(deps, giveName(deps)),
    sendCode: whileItLasts(deps, sendCodeAgain(deps)),
    enterCode: whileItLasts(deps, enterCode(deps)),
    confirmPassword: whileItLasts(deps, confirmPassword(deps)),
    chooseAccount: whileItLasts(deps, chooseAccount(deps)),
    anotherMethod: whileItLasts(deps, anotherMethod(deps)),
    goUpstream: whileItLasts(deps, goUpstream(deps)),
    upstreamAnswered: whileItLasts(deps, upstreamAnswered(deps)),
    arrived: whileItLasts(deps, arrived(deps)),
    consent: whileItLasts(deps, consent(deps)),
    cancel: whileItLasts(deps, cancel(deps)),
    reset: showReset(deps),
    resetDone: resetDone(deps),
    setNewPassword: setNewPassword(deps),
    forgot: forgot(deps),
    askForReset: askForReset(deps),
    forgotSent: forgotSent(deps),
    register: whileItLasts(deps, register(deps)),
    beginRegistration: whileItLasts(deps, begin(deps)),
    registerCode: whileItLasts(deps, registerCode(deps)),
    finishRegistration: whileItLasts(deps, finish(deps)),
    resendRegistration: whileItLasts(deps, resend(deps)),
    account: createAccountPages(deps),
  };
}
