/** TLS certificates of clients, made with openssl: an authority, one that it issued, and some that sign themselves. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

const SUBJECT = '/C=DE/O=Banque Étoile, Ltd/CN=app';
const NAMES =
  'subjectAltName=DNS:app.bank.example,URI:https://bank.example/a,IP:192.0.2.7,email:ops@bank.example';

export function makeCertificates() {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-certificates-'));
  const at = (name: string) => path.join(folder, name);
  const make = (name: string, ...args: string[]): Certificate => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      at(`${name}.key`),
    ];
    const all = ['req', '-x509', '-utf8', '-days', '2', ...key, '-out', at(`${name}.pem`), ...args];
    execFileSync('openssl', all, { stdio: 'ignore' });
    const [secret, certificate] = ['key', 'pem'].map((kind) => readFileSync(at(`${name}.${kind}`), 'utf8'));
    return { key: String(secret), certificate: String(certificate) };
  };
  try {
    const authority = make('authority', '-subj', '/CN=Authority');
    const by = ['-CA', at('authority.pem'), '-CAkey', at('authority.key')];
    return {
      authority,
      issued: make('issued', '-subj', SUBJECT, '-addext', NAMES, ...by),
      sibling: make(
        'sibling',
        '-subj',
        '/CN=other',
        '-addext',
        'subjectAltName=DNS:other.example,URI:app.bank.example',
        ...by,
      ),
      selfSigned: make('self-signed', '-subj', SUBJECT, '-addext', NAMES),
      stranger: make('stranger', '-subj', SUBJECT, '-addext', NAMES),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
