/**
 * Plain digests over password and salt. A template says how: `sha1({salt}{password})`, `md5(md5({password}){salt})`,
 * `sha256*1000({password}{salt:hex})`. Digests inside are in hexadecimal; `*n` repeats one over its own bytes. The text:
 * `$digest$<template>$<salt>$<key>`, both in Base64.
 */
import { hash } from 'node:crypto';
import {
  COSTS_TOO_MUCH,
  FEWEST_ROUNDS,
  type HashFamily,
  type HashRefusal,
  keyedHash,
  toBase64,
} from './hash-family.ts';
import { inThread } from './rounds.ts';

const FORM = /^\$digest\$([^$]{1,200})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]{22,86})$/;
const OUTER = /^(md5|sha1|sha256|sha384|sha512)(?:\*(\d{1,9}))?\((.*)\)$/;
const PART = /\{(password|salt|salt:hex|salt:base64)\}|(md5|sha1|sha256|sha384|sha512)\(|\)|[^(){}$]+/y;
const MAX_ROUNDS = 1_000_000;
const BYTES: Readonly<Record<string, number>> = { md5: 16, sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

interface Template {
  readonly digest: string;
  readonly rounds: number;
  /** What the outermost digest is made of. */
  fill(password: string, salt: Buffer): Buffer;
}

/** LDAP's names. */
const LDAP: Readonly<Record<string, string>> = {
  SHA: 'sha1',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
  MD5: 'md5',
};

export const digest: HashFamily = {
  name: 'digest',
  spellings: [
    // LDAP: the salt is behind the digest.
    [
      /^\{S?(SHA(?:256|384|512)?|MD5)\}([A-Za-z0-9+/]+={0,2})$/,
      (name = '', blob = '') => {
        const algorithm = LDAP[name] ?? name;
        const bytes = Buffer.from(blob, 'base64');
        const length = BYTES[algorithm] ?? 0;
        return textOf(`${algorithm}({password}{salt})`, bytes.subarray(length), bytes.subarray(0, length));
      },
    ],
  ],
  read(text) {
    const [, written = '', salt = '', key = ''] = FORM.exec(text) ?? [];
    if (written === '') return undefined;
    const template = templateOf(written);
    if ('refused' in template) return template;
    const { digest: name, rounds, fill } = template;
    const saltBytes = Buffer.from(salt, 'base64');
    const expected = Buffer.from(key, 'base64');
    if (expected.byteLength !== BYTES[name]) return { refused: `is not as long as ${name} makes it` };
    return keyedHash({
      kind: `digest ${name}`,
      work: rounds,
      fast: name === 'md5' || rounds < FEWEST_ROUNDS,
      salt: saltBytes,
      key: expected,
      spell: (salt, key) => textOf(written, salt, key),
      derive: async (password, work) => {
        const input = fill(password, saltBytes);
        if (work === 1) return hash(name, input, 'buffer');
        const algorithm = `repeated ${name}`;
        return inThread({ algorithm, password: input.toString('base64'), rounds: work });
      },
    });
  },
};

/** A hash in hexadecimal or Base64 whose template a person wrote; undefined when it is neither. */
export function digestText(
  template: string,
  hash: { readonly key: string; readonly salt: string | undefined },
) {
  const { key, salt = '' } = hash;
  const [, name = ''] = OUTER.exec(template) ?? [];
  const length = BYTES[name] ?? 0;
  const isHex = key.length === 2 * length && /^[\da-f]+$/i.test(key);
  const bytes = Buffer.from(key, isHex ? 'hex' : 'base64');
  const isWhole = bytes.byteLength === length && /^[\w+/=-]+$/.test(key);
  return isWhole ? textOf(template, Buffer.from(salt), bytes) : undefined;
}

function textOf(template: string, salt: Buffer, key: Buffer): string {
  return `$digest$${template}$${toBase64(salt)}$${toBase64(key)}`;
}

export function templateOf(written: string): Template | HashRefusal {
  const [, name, count = '1', inside = ''] = OUTER.exec(written) ?? [];
  const rounds = Number(count);
  const parts = name === undefined ? undefined : partsOf(`${inside})`);
  if (name === undefined || parts === undefined || rounds < 1 || !written.includes('{password}'))
    return { refused: 'has no template such as sha1({salt}{password})' };
  if (rounds > MAX_ROUNDS) return COSTS_TOO_MUCH;
  return { digest: name, rounds, fill: (password, salt) => filled(parts, password, salt) };
}

type Part =
  | string
  | { readonly value: string }
  | { readonly digest: string; readonly parts: readonly Part[] };

/** Up to the bracket that ends the text, if every bracket has its own. */
function partsOf(text: string): readonly Part[] | undefined {
  const open: { digest: string; parts: Part[] }[] = [{ digest: '', parts: [] }];
  const form = new RegExp(PART);
  while (form.lastIndex < text.length) {
    const found = form.exec(text);
    const here = open.at(-1);
    if (found === null || here === undefined) return undefined;
    const [token, value, inner] = found;
    if (inner !== undefined) open.push({ digest: inner, parts: [] });
    else if (token !== ')') here.parts.push(value === undefined ? token : { value });
    else {
      open.pop();
      const around = open.at(-1);
      if (around === undefined) return form.lastIndex === text.length ? here.parts : undefined;
      around.parts.push(here);
    }
  }
  return undefined;
}

function filled(parts: readonly Part[], password: string, salt: Buffer): Buffer {
  const bytes = parts.map((part) => {
    if (typeof part === 'string') return Buffer.from(part);
    if ('digest' in part) return Buffer.from(hash(part.digest, filled(part.parts, password, salt)));
    if (part.value === 'password') return Buffer.from(password);
    const encoding = { 'salt:hex': 'hex', 'salt:base64': 'base64' } as const;
    const coding =
      part.value === 'salt:hex' || part.value === 'salt:base64' ? encoding[part.value] : undefined;
    return coding === undefined ? salt : Buffer.from(salt.toString(), coding);
  });
  return Buffer.concat(bytes);
}
