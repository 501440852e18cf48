/**
 * The pages that people meet: sign-in, consent, the reset page that letters lead to, and the ways out when
 * something is over. One file per page: it parses its form, calls one function of identity/, and shows a
 * page or lets the engine go on. Where they are answered and what guards them is in http/routes.ts; the
 * engine's own pages (errors, logout) are engine-pages.ts; how they look is in views/ and public/.
 */
import type { PageHandlers } from '../http/routes.ts';
import { createAccountPages } from './account/account.ts';
import { cancel } from './cancel.ts';
import { anotherWay, chooseAccount } from './choose-account.ts';
import { consent } from './consent.ts';
import { askForReset, forgot, forgotSent } from './forgot.ts';
import { front } from './front.ts';
import { interaction } from './interaction.ts';
import type { PageParts } from './parts.ts';
import { begin, finish, register, registerCode, resend } from './register.ts';
import { resetDone, setNewPassword, showReset } from './reset-password.ts';
import { confirmPassword } from './second-proof.ts';
import { giveName, signIn } from './sign-in.ts';
import { enterCode, sendCodeAgain } from './sign-in-code.ts';
import { arrived, goUpstream, upstreamAnswered } from './upstream-sign-in.ts';

export function createPages(parts: PageParts): PageHandlers {
  return {
    front: front(parts),
    interaction: interaction(parts),
    signIn: signIn(parts),
    giveName: giveName(parts),
    sendCode: sendCodeAgain(parts),
    enterCode: enterCode(parts),
    confirmPassword: confirmPassword(parts),
    chooseAccount: chooseAccount(parts),
    anotherWay: anotherWay(parts),
    goUpstream: goUpstream(parts),
    upstreamAnswered: upstreamAnswered(parts),
    arrived: arrived(parts),
    consent: consent(parts),
    cancel: cancel(parts),
    reset: showReset(parts),
    resetDone: resetDone(parts),
    setNewPassword: setNewPassword(parts),
    forgot: forgot(parts),
    askForReset: askForReset(parts),
    forgotSent: forgotSent(parts),
    register: register(parts),
    beginRegistration: begin(parts),
    registerCode: registerCode(parts),
    finishRegistration: finish(parts),
    resendRegistration: resend(parts),
    account: createAccountPages(parts),
  };
}
