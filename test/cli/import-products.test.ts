/** `portico import --shape`: each product's own export, in the form that its maker documents. */
import { expect } from 'chai';
import { createPasswordHasher } from '../../src/identity/passwords/hasher.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const BCRYPT = '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
/** The example of github.com/firebase/scrypt. */
const FIREBASE = {
  hash: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  salt: '42xEC+ixf3L2lw==',
  password: 'user1password',
  project: {
    signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
    ...{ saltSeparator: 'Bw==', rounds: 8, memCost: 14 },
  },
};
const GOOGLE = 'https://accounts.google.com';

interface Case {
  readonly shape: string;
  readonly file: string;
  readonly content: string;
  /** By vendor_id. */
  readonly accounts: Readonly<Record<string, Partial<AccountRecord>>>;
  /** Of the person with this id. */
  readonly identity?: readonly [vendorId: string, issuer: string, subject: string];
}

const json = (value: unknown) => JSON.stringify(value, null, 2);
const lines = (...all: unknown[]) => all.map((one) => JSON.stringify(one)).join('\n');

const CASES: readonly Case[] = [
  {
    shape: 'auth0',
    file: 'tenant.json',
    content: lines(
      {
        user_id: 'auth0|5f7c8ec7',
        ...{ email: 'ann@a.test', email_verified: true, name: 'Ann Lee', given_name: 'Ann', blocked: true },
        identities: [
          { provider: 'google-oauth2', user_id: '1001', connection: 'google-oauth2', isSocial: true },
          { provider: 'auth0', user_id: '5f7c8ec7', connection: 'Users', isSocial: false },
        ],
        created_at: '2020-10-06T15:35:03.123Z',
        ...{ logins_count: 3, user_metadata: { team: 'red' } },
      },
      {
        _id: { $oid: '60425dc43519d90068f82973' },
        ...{ email_verified: false, email: 'bob@a.test', passwordHash: BCRYPT, tenant: 'acme' },
        ...{ password_set_date: { $date: '2021-03-05T16:32:52.226Z' }, connection: 'Users' },
      },
    ),
    accounts: {
      'auth0|5f7c8ec7': {
        ...{ email: 'ann@a.test', emailVerified: true, status: 'blocked' },
        ...{
          claims: { name: 'Ann Lee', given_name: 'Ann' },
          createdAt: new Date('2020-10-06T15:35:03.123Z'),
        },
      },
      'auth0|60425dc43519d90068f82973': { email: 'bob@a.test', emailVerified: false, passwordHash: BCRYPT },
    },
    identity: ['auth0|5f7c8ec7', GOOGLE, '1001'],
  },
  {
    shape: 'auth0',
    file: 'bulk.json',
    content: json([
      {
        ...{ user_id: 'carl', email: 'carl@a.test', email_verified: true },
        custom_password_hash: { algorithm: 'bcrypt', hash: { value: BCRYPT } },
      },
    ]),
    accounts: { carl: { email: 'carl@a.test', passwordHash: BCRYPT } },
  },
  {
    shape: 'firebase',
    file: 'users.json',
    content: json({
      users: [
        {
          ...{ localId: 'ZHGnKB1pIfe', email: 'fay@f.test', emailVerified: true, displayName: 'Fay' },
          ...{ photoUrl: `https://x.test/${'p'.repeat(600)}`, phoneNumber: '+15555550100' },
          ...{
            passwordHash: FIREBASE.hash,
            salt: FIREBASE.salt,
            lastSignedInAt: '1486420332000',
            createdAt: '1486324445000',
            disabled: true,
          },
          providerUserInfo: [{ providerId: 'google.com', rawId: '2002', email: 'fay@f.test' }],
        },
      ],
    }),
    accounts: {
      ZHGnKB1pIfe: {
        ...{ email: 'fay@f.test', emailVerified: true, status: 'blocked' },
        claims: { name: 'Fay', phone_number: '+15555550100', phone_number_verified: true },
        createdAt: new Date(1_486_324_445_000),
      },
    },
    identity: ['ZHGnKB1pIfe', GOOGLE, '2002'],
  },
  {
    shape: 'keycloak',
    file: 'realm.json',
    content: json({
      realm: 'clinic',
      clients: [{ clientId: 'account', users: [{ id: 'none' }] }],
      users: [
        {
          ...{ id: 'k-1', username: 'kim', email: 'kim@k.test', emailVerified: true, enabled: true },
          ...{ firstName: 'Kim', lastName: 'Ode', createdTimestamp: 1_600_000_000_000 },
          attributes: { discipline: ['PT'] },
          credentials: [
            {
              ...{ id: 'c', type: 'password', createdDate: 1_600_000_000_000 },
              secretData:
                '{"value":"q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=","salt":"c2FsdHNhbHRzYWx0c2FsdA==","additionalParameters":{}}',
              credentialData:
                '{"hashIterations":27500,"algorithm":"pbkdf2-sha256","additionalParameters":{}}',
            },
          ],
          federatedIdentities: [{ identityProvider: 'google', userId: '3003', userName: 'kim@k.test' }],
          ...{ realmRoles: ['default-roles-clinic', 'nurse'], notBefore: 0, groups: [] },
        },
        {
          ...{ id: 'k-2', username: 'lou', enabled: false },
          credentials: [
            {
              type: 'password',
              secretData:
                '{"value":"q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=","salt":"c2FsdHNhbHRzYWx0c2FsdA=="}',
              credentialData:
                '{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}',
            },
          ],
        },
        { id: 'k-3', username: 'service-account-x', serviceAccountClientId: 'x' },
      ],
    }),
    accounts: {
      'k-1': {
        ...{ email: 'kim@k.test', emailVerified: true, username: 'kim', status: 'active' },
        claims: { given_name: 'Kim', family_name: 'Ode' },
        passwordHash:
          '$pbkdf2-sha256$27500$c2FsdHNhbHRzYWx0c2FsdA$q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k',
        roles: ['nurse'],
        vendor: { visitnote: { discipline: 'PT' } },
      },
      'k-2': {
        ...{ username: 'lou', status: 'blocked' },
        passwordHash:
          '$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHRzYWx0c2FsdA$q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k',
      },
    },
    identity: ['k-1', GOOGLE, '3003'],
  },
  {
    shape: 'cognito',
    file: 'pool.csv',
    content:
      'name,given_name,family_name,middle_name,nickname,preferred_username,profile,picture,website,email,email_verified,gender,birthdate,zoneinfo,locale,phone_number,phone_number_verified,address,updated_at,cognito:mfa_enabled,cognito:username\n' +
      'Mia Fox,Mia,Fox,,,mia,,,,mia@c.test,TRUE,,02/28/1985,,en-US,+14325551212,FALSE,"1 Way, Town",,FALSE,c-mia\n',
    accounts: {
      'c-mia': {
        ...{ email: 'mia@c.test', emailVerified: true, username: 'mia' },
        claims: {
          ...{ name: 'Mia Fox', given_name: 'Mia', family_name: 'Fox', birthdate: '1985-02-28' },
          ...{ locale: 'en-US', phone_number: '+14325551212', phone_number_verified: false },
          address: { formatted: '1 Way, Town' },
        },
      },
    },
  },
  {
    shape: 'cognito',
    file: 'pool.json',
    content: json({
      Users: [
        {
          ...{ Username: 'google_4004', Enabled: false, UserStatus: 'EXTERNAL_PROVIDER' },
          UserCreateDate: '2023-01-02T03:04:05.000000+00:00',
          Attributes: [
            { Name: 'sub', Value: 'c-sub' },
            { Name: 'identities', Value: '[{"userId":"4004","providerName":"Google","primary":true}]' },
            { Name: 'email', Value: 'ned@c.test' },
          ],
        },
      ],
    }),
    accounts: {
      'c-sub': { email: 'ned@c.test', status: 'blocked', createdAt: new Date('2023-01-02T03:04:05Z') },
    },
    identity: ['c-sub', GOOGLE, '4004'],
  },
  {
    shape: 'wordpress',
    file: 'wp_users.csv',
    content:
      'ID,user_login,user_pass,user_nicename,user_email,user_url,user_registered,user_activation_key,user_status,display_name\n' +
      `7,olga,${BCRYPT},olga,olga@w.test,https://o.test,2019-03-04 05:06:07,,0,Olga Ray\n`,
    accounts: {
      '7': {
        ...{ email: 'olga@w.test', emailVerified: false, username: 'olga', passwordHash: BCRYPT },
        ...{ claims: { name: 'Olga Ray', website: 'https://o.test' } },
        createdAt: new Date('2019-03-04T05:06:07Z'),
      },
    },
  },
  {
    shape: 'django',
    file: 'auth_user.csv',
    content:
      'id,password,last_login,is_superuser,username,first_name,last_name,email,is_staff,is_active,date_joined\n' +
      '11,!mIOVCtkPkAVHV7qbvAzeGnVtpSwfGM9gCYZ4HPqc,,0,pia,Pia,Berg,pia@d.test,0,1,2021-05-06 07:08:09.123456\n',
    accounts: {
      '11': {
        ...{ username: 'pia', email: 'pia@d.test', claims: { given_name: 'Pia', family_name: 'Berg' } },
        createdAt: new Date('2021-05-06T07:08:09.123Z'),
      },
    },
  },
  {
    shape: 'django',
    file: 'dump.json',
    content: json([
      { model: 'auth.permission', pk: 1, fields: { codename: 'x' } },
      {
        ...{ model: 'auth.user', pk: 12 },
        fields: { username: 'quin', password: BCRYPT, is_active: false, email: '', groups: [] },
      },
    ]),
    accounts: { '12': { username: 'quin', status: 'blocked', passwordHash: BCRYPT } },
  },
  {
    shape: 'laravel',
    file: 'users.csv',
    content:
      'id,name,email,email_verified_at,password,remember_token,created_at,updated_at\n' +
      `21,Rob Sand,rob@l.test,2022-01-02 03:04:05,${BCRYPT.replace('$2a', '$2y')},NULL,2022-01-01 00:00:00,NULL\n` +
      `22,Sue Moor,sue@l.test,NULL,${BCRYPT.replace('$2a', '$2y')},NULL,\\N,NULL\n`,
    accounts: {
      '21': {
        ...{ email: 'rob@l.test', emailVerified: true, passwordHash: BCRYPT.replace('$2a', '$2y') },
        createdAt: new Date('2022-01-01T00:00:00Z'),
      },
      '22': { emailVerified: false, claims: { name: 'Sue Moor' } },
    },
  },
  {
    shape: 'aspnet',
    file: 'AspNetUsers.csv',
    content:
      'Id,UserName,NormalizedUserName,Email,NormalizedEmail,EmailConfirmed,PasswordHash,SecurityStamp,ConcurrencyStamp,PhoneNumber,PhoneNumberConfirmed,TwoFactorEnabled,LockoutEnd,LockoutEnabled,AccessFailedCount\n' +
      'n-1,tess@n.test,TESS@N.TEST,tess@n.test,TESS@N.TEST,True,NULL,X,Y,NULL,False,False,9999-12-31 23:59:59.0000000 +00:00,True,0\n',
    accounts: { 'n-1': { email: 'tess@n.test', emailVerified: true, status: 'blocked' } },
  },
];

describe('portico import --shape', function () {
  this.timeout(60_000);
  let terminal: Terminal;
  before(async () => {
    terminal = openTerminal({
      dialects: { visitnote: { enabled: true } },
      passwords: { imported: { firebase: { main: FIREBASE.project } } },
    });
  });
  after(() => terminal.close());

  for (const { shape, file, content, accounts, identity } of CASES) {
    it(`reads ${shape}'s ${file}, and twice changes nothing`, async () => {
      // Ids of products may be the same.
      const organization = file.replaceAll(/\W/g, '-').toLowerCase();
      const made = await terminal.session(['organization', 'create', organization]);
      expect(made.code, made.stderr).to.equal(0);
      const map = terminal.write(
        'map.yaml',
        'attributes.discipline: vendor.visitnote.discipline\nrealmRoles: roles\n',
      );
      const written = terminal.write(file, content);
      const load = async () => {
        const to = ['--organization', organization, '--dialect', 'visitnote', '--shape', shape, '--map', map];
        if (shape === 'firebase') to.push('--recipe', 'firebase:main');
        const ran = await terminal.session(['import', written, ...to, '--json']);
        expect(ran.code, ran.stderr).to.equal(0);
        return ran.json();
      };
      const people = Object.keys(accounts).length;
      expect(await load()).to.deep.include({ rows: people, created: people, reasons: {} });
      expect(await load()).to.deep.include({ rows: people, kept: people, reasons: {} });
      await terminal.inStore(async (stores) => {
        for (const [id, expected] of Object.entries(accounts)) {
          const account = await stores.accounts.byAlias('visitnote', id);
          const { roles, ...members } = expected;
          expect(account, id).to.deep.include({ organization, ...members });
          for (const role of roles ?? []) expect(account?.roles).to.include(role);
        }
        if (shape === 'firebase') {
          const hasher = createPasswordHasher({
            queue: 1,
            keys: { devise: {}, firebase: { main: FIREBASE.project } },
          });
          const stored = (await stores.accounts.byAlias('visitnote', 'ZHGnKB1pIfe'))?.passwordHash;
          expect((await hasher.verify(FIREBASE.password, stored)).right).to.equal(true);
        }
        if (identity === undefined) return;
        const [id, issuer, subject] = identity;
        const link = await stores.identities.find(organization, issuer, subject);
        expect(link?.accountId).to.equal((await stores.accounts.byAlias('visitnote', id))?.id);
      });
    });
  }
});
