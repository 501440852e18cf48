/**
 * The pages that people meet: sign-in, consent, the reset page that letters lead to, and the ways out when
 * something is over. One file per page: it parses its form, calls one function of identity/, and shows a
 * page or lets the engine go on. Where they are answered and what guards them is in http/routes.ts; the
 * engine's own pages (errors, logout) are engine-pages.ts; how they look is in views/ and public/.
 */

import { createAccountPages } from './account/handlers.ts';
import { front } from './front.ts';
import { askForReset, forgot, forgotSent } from './password-reset/request.ts';
import { resetDone, setNewPassword, showReset } from './password-reset/reset.ts';
import type { PageHandlers } from './routes.ts';
import type { PageParts } from './shared/deps.ts';
import { whileItLasts } from './shared/while-it-lasts.ts';
import { cancel } from './sign-in/cancel.ts';
import { enterCode, sendCodeAgain } from './sign-in/code.ts';
import { consent } from './sign-in/consent.ts';
import { interaction } from './sign-in/interaction.ts';
import { giveName, signIn } from './sign-in/password.ts';
import { begin, finish, register, registerCode, resend } from './sign-in/register.ts';
import { confirmPassword } from './sign-in/second-factor.ts';
import { anotherWay, chooseAccount } from './sign-in/select-account.ts';
import { arrived, goUpstream, upstreamAnswered } from './sign-in/upstream.ts';

export function createPages(parts: PageParts): PageHandlers {
  return {
    front: front(parts),
    interaction: whileItLasts(parts, interaction(parts)),
    signIn: whileItLasts(parts, signIn(parts)),
    giveName: whileItLasts(parts, giveName(parts)),
    sendCode: whileItLasts(parts, sendCodeAgain(parts)),
    enterCode: whileItLasts(parts, enterCode(parts)),
    confirmPassword: whileItLasts(parts, confirmPassword(parts)),
    chooseAccount: whileItLasts(parts, chooseAccount(parts)),
    anotherWay: whileItLasts(parts, anotherWay(parts)),
    goUpstream: whileItLasts(parts, goUpstream(parts)),
    upstreamAnswered: whileItLasts(parts, upstreamAnswered(parts)),
    arrived: whileItLasts(parts, arrived(parts)),
    consent: whileItLasts(parts, consent(parts)),
    cancel: whileItLasts(parts, cancel(parts)),
    reset: showReset(parts),
    resetDone: resetDone(parts),
    setNewPassword: setNewPassword(parts),
    forgot: forgot(parts),
    askForReset: askForReset(parts),
    forgotSent: forgotSent(parts),
    register: whileItLasts(parts, register(parts)),
    beginRegistration: whileItLasts(parts, begin(parts)),
    registerCode: whileItLasts(parts, registerCode(parts)),
    finishRegistration: whileItLasts(parts, finish(parts)),
    resendRegistration: whileItLasts(parts, resend(parts)),
    account: createAccountPages(parts),
  };
}
