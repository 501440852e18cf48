/**
 * Firebase's scrypt: its key encrypts the project's signer key, and the result is the hash. `$firebase-scrypt$<project>,
 * ln=..,r=..$salt$key`; the signer key stays in the configuration, where the project has a name.
 */
import { createCipheriv } from 'node:crypto';
import { type HashFamily, type HashKeys, type HashRefusal, keyedHash, toBase64 } from './hash-family.ts';
import { refusalOfCost, scryptKey } from './scrypt.ts';

const FORM =
  /^(\$firebase-scrypt\$([\w-]{1,64}),ln=(\d{1,2}),r=(\d{1,3}))\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{22,342})$/;

export const firebaseScrypt: HashFamily = {
  name: 'firebase-scrypt',
  read(text, { firebase }) {
    const [, head = '', project = '', ln, r, salt = '', key = ''] = FORM.exec(text) ?? [];
    if (head === '') return undefined;
    const cost = { ln: Number(ln), r: Number(r), p: 1 };
    const refusal = refusalOfCost(cost);
    if (refusal !== undefined) return refusal;
    const signerKey = Object.hasOwn(firebase, project) ? firebase[project]?.signerKey : undefined;
    const saltBytes = Buffer.from(salt, 'base64');
    const reading = keyedHash({
      kind: `firebase-scrypt ${ln} ${r}`,
      work: 1,
      fast: false,
      salt: saltBytes,
      key: Buffer.from(key, 'base64'),
      spell: (salt, key) => `${head}$${toBase64(salt)}$${toBase64(key)}`,
      async derive(password, work) {
        let made: Buffer = Buffer.alloc(0);
        for (let done = 0; done < work; done += 1) made = await scryptKey(password, saltBytes, 32, cost);
        if (signerKey === undefined) return Buffer.alloc(0);
        const cipher = createCipheriv('aes-256-ctr', made, Buffer.alloc(16));
        return cipher.update(signerKey, 'base64');
      },
    });
    return signerKey === undefined
      ? { ...reading, lacks: `passwords.imported.firebase.${project}` }
      : reading;
  },
};

/** As Firebase exports it: hash and salt in Base64. */
export function firebaseText(
  project: string,
  hash: { readonly key: string; readonly salt: string | undefined },
  { firebase }: HashKeys,
): string | HashRefusal {
  const settings = Object.hasOwn(firebase, project) ? firebase[project] : undefined;
  if (settings === undefined)
    return { refused: `needs passwords.imported.firebase.${project} of the configuration` };
  if (hash.salt === undefined) return { refused: 'has no salt' };
  const { saltSeparator, rounds, memCost } = settings;
  const salt = Buffer.concat([Buffer.from(hash.salt, 'base64'), Buffer.from(saltSeparator, 'base64')]);
  const key = toBase64(Buffer.from(hash.key, 'base64'));
  return `$firebase-scrypt$${project},ln=${memCost},r=${rounds}$${toBase64(salt)}$${key}`;
}
