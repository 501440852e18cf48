/**
 * The account pages: what a person sees and changes of their own account. One file per page; each parses its
 * form, calls one function of identity/, and leads back to a page that is shown (post, redirect, get). Where
 * they are answered and what guards them is in http/account-routes.ts; signing in is the engine's
 * (sign-in.ts of this folder only asks for it).
 */

import type { PageParts } from '../shared/deps.ts';
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

export function createAccountPages(parts: PageParts): AccountHandlers {
  return {
    find: findPerson(parts),
    askToSignIn: askToSignIn(parts),
    signedIn: signedIn(parts),
    again: again(parts),
    overview: overview(parts),
    profile: profile(parts),
    saveProfile: saveProfile(parts),
    address: address(parts),
    confirmAddress: confirmAddress(parts),
    changeAddress: changeAddress(parts),
    addressCode: addressCode(parts),
    proveAddress: proveNewAddress(parts),
    password: password(parts),
    changePassword: changePassword(parts),
    firstPassword: firstPassword(parts),
    signIns: signIns(parts),
    unlink: unlink(parts),
    access: access(parts),
    endSession: endSession(parts),
    endGrant: endGrant(parts),
    keys: keys(parts),
    makeKey: makeKey(parts),
    deleteKey: deleteKey(parts),
    data: data(parts),
    download: download(parts),
    remove: remove(parts),
    sendDeletionCode: sendCodeForRemoval(parts),
    removeForGood: removeForGood(parts),
    removed: removed(parts),
  };
}
