/**
 * The account pages: what a person sees and changes of their own account. One file per page; each parses its
 * form, calls one function of identity/, and leads back to a page that is shown (post, redirect, get). Where
 * they are answered and what guards them is in http/account-routes.ts; signing in is the provider's
 * (sign-in.ts of this folder only asks for it).
 */

import type { PageDeps } from '../shared/deps.ts';
import { access, endGrant, endSession } from './access.ts';
import { address, addressCode, changeAddress, confirmAddress, proveNewAddress } from './address.ts';
import { data, download } from './data.ts';
import { deleteKey, keys, makeKey } from './keys.ts';
import { overview } from './overview.ts';
import { changePassword, firstPassword, password } from './password.ts';
import { profile, saveProfile } from './profile.ts';
import { remove, removed, removeForGood, sendCodeForRemoval } from './remove.ts';
import type { AccountHandlers } from './routes.ts';
import { again, askToSignIn, findPerson, signedIn } from './session.ts';
import { signIns, unlink } from './sign-ins.ts';

export function createAccountPages(deps: PageDeps): AccountHandlers {
  return {
    find: findPerson(deps),
    askToSignIn: askToSignIn(deps),
    signedIn: signedIn(deps),
    again: again(deps),
    overview: overview(deps),
    profile: profile(deps),
    saveProfile: saveProfile(deps),
    address: address(deps),
    confirmAddress: confirmAddress(deps),
    changeAddress: changeAddress(deps),
    addressCode: addressCode(deps),
    proveAddress: proveNewAddress(deps),
    password: password(deps),
    changePassword: changePassword(deps),
    firstPassword: firstPassword(deps),
    signIns: signIns(deps),
    unlink: unlink(deps),
    access: access(deps),
    endSession: endSession(deps),
    endGrant: endGrant(deps),
    keys: keys(deps),
    makeKey: makeKey(deps),
    deleteKey: deleteKey(deps),
    data: data(deps),
    download: download(deps),
    remove: remove(deps),
    sendDeletionCode: sendCodeForRemoval(deps),
    removeForGood: removeForGood(deps),
    removed: removed(deps),
  };
}
