/** What tests must know of each dialect's API to use it: where a sign-in goes, what a refusal looks like. */
import { example } from '../../src/dialects/_example/example.ts';
import { avycenna as avycennaDialect } from '../../src/dialects/avycenna/avycenna.ts';
import { careportals as careportalsDialect } from '../../src/dialects/careportals/careportals.ts';
import { medisync as medisyncDialect } from '../../src/dialects/medisync/medisync.ts';
import { visitnote as visitnoteDialect } from '../../src/dialects/visitnote/visitnote.ts';
import { vsee as vseeDialect } from '../../src/dialects/vsee/vsee.ts';
import type { DialectInfo } from '../conformance/dialect-under-test.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const byEmail = (email: string, password: string) => ({ email, password });

export const exampleContext: DialectInfo = {
  dialect: example,
  organization: 'default',
  signIn: {
    path: '/example/v1/sign-in',
    body: byEmail,
    status: 200,
    token: '/token',
    refreshToken: '/refreshToken',
  },
  me: { path: '/example/v1/me', headers: bearer },
  refused: { status: 401, json: { error: 'wrong_email_or_password' } },
  deadToken: { status: 401, json: { error: 'signed_out' } },
  tooLarge: { status: 413, json: { error: 'too_large' } },
};

export const visitnote: DialectInfo = {
  dialect: visitnoteDialect,
  organization: 'default',
  signIn: { path: '/api/therapist/v1/sign-in', body: byEmail, status: 200, token: '/data/token' },
  me: { path: '/api/therapist/v1/my-profile', headers: bearer },
  refused: { status: 401, json: { status: false, message: 'Invalid credentials' } },
  deadToken: { status: 401, json: { status: false, message: 'Invalid or expired token' } },
  tooLarge: { status: 413, json: { status: false, message: 'Payload too large' } },
};

export const medisync: DialectInfo = {
  dialect: medisyncDialect,
  organization: 'default',
  signIn: { path: '/api/login', body: byEmail, status: 200, token: '/token' },
  me: { path: '/api/user/profile', headers: bearer },
  refused: {
    status: 401,
    json: { success: false, error: 'Invalid email or password', code: 'INVALID_CREDENTIALS' },
  },
  deadToken: {
    status: 401,
    json: { success: false, error: 'Authentication required', code: 'AUTH_REQUIRED' },
  },
  tooLarge: {
    status: 413,
    json: { success: false, error: 'Request body too large', code: 'PAYLOAD_TOO_LARGE' },
  },
};

export const careportals: DialectInfo = {
  dialect: careportalsDialect,
  organization: 'north_clinic',
  headers: { organization: 'north_clinic' },
  signIn: {
    path: '/patient/auth/login',
    body: (username, password) => ({ username, password }),
    status: 201,
    token: '/token',
  },
  me: { path: '/patient/users/account', headers: bearer },
  refused: { status: 401, json: { message: 'Unauthorized' } },
  deadToken: { status: 401, json: { message: 'Unauthorized' } },
  tooLarge: { status: 413, json: { message: 'Payload Too Large' } },
};

export const avycenna: DialectInfo = {
  dialect: avycennaDialect,
  organization: 'default',
  signIn: {
    path: '/api/v1/auth/login',
    body: byEmail,
    status: 200,
    token: '/access_token',
    refreshToken: '/refresh_token',
  },
  me: { path: '/api/v1/auth/me', headers: bearer },
  refused: { status: 401, json: { detail: 'Incorrect email or password' } },
  deadToken: { status: 401, json: { detail: 'Could not validate credentials' } },
  noCredential: { status: 401, json: { detail: 'Not authenticated' } },
  tooLarge: { status: 413, json: { detail: 'Request body too large' } },
};

export const vsee: DialectInfo = {
  dialect: vseeDialect,
  organization: 'clinicdev',
  headers: { 'x-accountcode': 'clinicdev' },
  signIn: {
    path: '/api_v3/users/login.json',
    body: (username, password) => ({ username, password }),
    status: 200,
    token: '/data/token',
    refreshToken: '/data/refresh_token/token',
  },
  me: { path: '/api_v3/me', headers: (token) => ({ 'x-apitoken': token }) },
  refused: { status: 401, json: { code: 401, message: 'Invalid username or password.' } },
  deadToken: { status: 401, json: { code: 401, message: 'Invalid or expired token.' } },
  tooLarge: { status: 413, json: { code: 413, message: 'Request body is too large.' } },
  apiKey: {
    'x-apikey': '6f1d2c3b4a5968778695a4b3c2d1e0f1',
    'x-apisecret': '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  },
};

/** The five vendors. */
export const vendors: readonly DialectInfo[] = [visitnote, medisync, careportals, avycenna, vsee];
