/** Password hashes with their passwords, each from its maker: published, or written by its own library. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { hash as argon2, argon2d, argon2i, argon2id } from 'argon2';

export interface WrittenHash {
  /** Who wrote it. */
  readonly by: string;
  readonly password: string;
  readonly hash: string;
  readonly recipe?: string;
  readonly salt?: string;
}

/** Of Firebase's README and of write_hashes.py. */
export const KEYS = {
  firebase: {
    readme: {
      signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
      saltSeparator: 'Bw==',
      rounds: 8,
      memCost: 14,
    },
  },
  devise: { shop: { pepper: 'black-pepper' } },
};

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64').replaceAll('=', '');
const text64 = (text: string) => Buffer.from(text).toString('base64').replaceAll('=', '');
const keycloak = (secretData: object, credentialData: object) =>
  JSON.stringify({ secretData: JSON.stringify(secretData), credentialData: JSON.stringify(credentialData) });

export const PUBLISHED: readonly WrittenHash[] = [
  {
    by: 'RFC 7914 section 12',
    password: 'pleaseletmein',
    hash: `$scrypt$ln=14,r=8,p=1$${text64('SodiumChloride')}$${base64('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887')}`,
  },
  {
    by: 'RFC 7914 section 11',
    password: 'Password',
    hash: `$pbkdf2-sha256$i=80000,l=64$${text64('NaCl')}$${base64('4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d')}`,
  },
  {
    by: 'RFC 6070',
    password: 'password',
    hash: `$pbkdf2$4096$${text64('salt')}$${base64('4b007901b765489abead49d926f721d065a429c1')}`,
  },
  {
    by: 'the argon2 reference implementation',
    password: 'password',
    hash: '$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG',
  },
  {
    by: 'the argon2 reference implementation, version 1.0',
    password: 'password',
    hash: '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ',
  },
  {
    by: 'Openwall crypt_blowfish, 2a',
    password: 'U*U',
    hash: '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  },
  {
    by: 'Openwall crypt_blowfish, 2x',
    password: 'U*U',
    hash: '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  },
  { by: 'Openwall phpass', password: 'test12345', hash: '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0' },
  {
    by: 'glibc, sha256crypt',
    password: 'Hello world!',
    hash: '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  },
  {
    by: 'glibc, sha512crypt',
    password: 'Hello world!',
    hash: '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  },
  {
    by: 'Drupal',
    password: 'valid password',
    hash: '$S$5TOxWPdvJRs0P/xZBdrrPlGgzViOS0drHu3jaIjitesfttrp18bk',
  },
  {
    by: 'Drupal, of a hash of Drupal 6',
    password: 'valid password',
    hash: 'U$S$5vNHDQyLqCTvsYBLWBUWXJWhA0m3DTpBh04acFEOGB.bKBclhKgo',
  },
  {
    by: 'WordPress 6.8',
    password: 'admin',
    hash: '$wp$2y$10$Q1xinFjrZeLWJBvxviIL6u834Fu.evIEFHAUVisQ5O.w9Dm0sMdES',
  },
  {
    by: 'Firebase’s README',
    password: 'user1password',
    hash: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
    salt: '42xEC+ixf3L2lw==',
    recipe: 'firebase:readme',
  },
  {
    by: 'ASP.NET Identity 2',
    password: 'my password',
    hash: 'ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==',
  },
  {
    by: 'ASP.NET Identity 3, SHA-1',
    password: 'my password',
    hash: 'AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M',
  },
  {
    by: 'ASP.NET Identity 3, SHA-256',
    password: 'my password',
    hash: 'AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=',
  },
  {
    by: 'ASP.NET Identity 3, SHA-512',
    password: 'my password',
    hash: 'AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==',
  },
  {
    by: 'Keycloak, PBKDF2',
    password: 'Pa55w0rd',
    hash: keycloak(
      {
        value: 'im1Uy8x0xMI5JKCogCz0pQ60nxRD3dLcipzQj1l3yETj4fkkxgyqEBA5ksNAxaj2ASF24w+moe3BK/5KnIdD8g==',
        salt: 'q4deh2UP6VG9NwOFfBiLJQ==',
        additionalParameters: {},
      },
      { hashIterations: 27500, algorithm: 'pbkdf2-sha256', additionalParameters: {} },
    ),
  },
  {
    by: 'Keycloak, argon2',
    password: 'password',
    hash: keycloak(
      {
        value: 'BruFLfFkjH/8erZ26NnrbkOrWiZuQyDRCHD9o0R6Scg=',
        salt: 'Cf9AYCE5pAbb4CKEF0GUTA==',
        additionalParameters: {},
      },
      {
        hashIterations: 5,
        algorithm: 'argon2',
        additionalParameters: {
          hashLength: ['32'],
          memory: ['7168'],
          type: ['id'],
          version: ['1.3'],
          parallelism: ['1'],
        },
      },
    ),
  },
];

/** What the npm package writes now. */
export async function writtenByNpm(): Promise<WrittenHash[]> {
  const password = 'Größe-Lantern-42 ';
  const kinds = { argon2d, argon2i, argon2id } as const;
  return Promise.all(
    Object.entries(kinds).map(async ([by, type]) => ({
      by: `npm ${by}`,
      password,
      hash: await argon2(password, { type, memoryCost: 4096 }),
    })),
  );
}

/** What test/clients/others/prepare had the libraries of other languages write. */
export function writtenElsewhere(language: 'python' | 'spring'): WrittenHash[] | undefined {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const file = path.join(cache, 'portico-clients/hashes', `${language}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as WrittenHash[];
  const note = `There is no ${file}: its hashes were NOT tried. test/clients/others/prepare writes it.`;
  if (process.env.CI === 'true') throw new Error(note);
  process.on('exit', () => process.stderr.write(`\n*** ${note}\n\n`));
  return undefined;
}
