/**
 * One word for one thing: the identifiers of src/ and the texts that people read hold none of the words that were
 * given up. The glossary of docs/architecture.md says which private words stay, and why.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { blankComments } from './support/read-imports.ts';

const root = path.join(import.meta.dirname, '..');

/** What each is called now. */
const GIVEN_UP: Readonly<Record<string, string>> = {
  letter: 'email',
  ticket: 'link token',
  artifact: 'OIDC record',
  door: 'channel',
  engine: 'provider',
  desk: 'command context',
  holding: 'access',
  theft: 'token reuse',
  seal: 'encrypt',
  sealed: 'encrypted',
  mac: 'hmac',
  wanted: 'input',
  fact: 'context',
  mistake: 'issue',
  fault: 'issue',
  stranger: 'anonymous',
  somebody: 'the user, the client, an attacker',
  anybody: 'any client, any user',
  nobody: 'no client, no user',
  whoever: 'the client, the user',
};

/** Names that others read, or that are stored: they keep their spelling. */
const STAYS: readonly [where: RegExp, words: string][] = [
  // Tables and members as an older version wrote them.
  [/^store\/(embedded\/sqlite|mongo)\/migrations\.ts$/, 'artifact ticket fact sealed'],
  [/^model\/opened-before\.ts$/, 'door'],
  // Configuration keys.
  [/^(config|identity|oidc|server|dialects)\//, 'stranger'],
  [/^dialects\/vsee\/(settings|email-limits|sign-in\/browser-sign-in)\.ts$/, 'letter ticket'],
];

/** The words of an identifier, in the singular: `linkTokensOf` has link, token and of. */
function wordsOf(identifier: string): string[] {
  const apart = identifier.replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/([A-Z])([A-Z][a-z])/g, '$1 $2');
  return apart
    .split(/[^A-Za-z]+/)
    .map((word) => word.toLowerCase())
    .map((word) => (word.endsWith('s') && word.slice(0, -1) in GIVEN_UP ? word.slice(0, -1) : word));
}

function identifiersOf(source: string): string[] {
  const code = blankComments(source).replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g,
    "''",
  );
  return code.match(/[A-Za-z_$][\w$]*/g) ?? [];
}

const filesIn = (folder: string, ending: RegExp) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(root, folder, file), 'utf8') }));

describe('the words that were given up', () => {
  it('stand in no identifier and no file name of src/', () => {
    const files = filesIn('src', /\.ts$/);
    expect(files.length).to.be.above(100);
    const wrong = files.flatMap(({ file, text }) => {
      const words = new Set([file, ...identifiersOf(text)].flatMap(wordsOf));
      const stays = STAYS.filter(([where]) => where.test(file)).flatMap(([, some]) => some.split(' '));
      return [...words]
        .filter((word) => Object.hasOwn(GIVEN_UP, word) && !stays.includes(word))
        .map((word) => `src/${file}: "${word}" is ${GIVEN_UP[word]}`);
    });
    expect(wrong, `\n${wrong.join('\n')}\n`).to.deep.equal([]);
  });

  it('stand in no text of a page or an email', () => {
    const texts = [...filesIn('config/locales', /^en\.json$/), ...filesIn('views', /\.ejs$/)];
    expect(texts.length).to.be.above(40);
    // "Letter" is also a sign of the alphabet, which a rule for passwords may name.
    const words = Object.keys(GIVEN_UP).filter((word) => !['fact', 'letter', 'seal'].includes(word));
    const said = new RegExp(`\\b(?:${words.join('|')})s?\\b|e-mail`, 'i');
    const wrong = texts.flatMap(({ file, text }) =>
      text.split('\n').flatMap((line, at) => (said.test(line) ? [`${file}:${at + 1} ${line.trim()}`] : [])),
    );
    expect(wrong, `\n${wrong.join('\n')}\n`).to.deep.equal([]);
  });

  it('are seen where they stand', () => {
    const source = "const sealedTickets = openDoor('letter'); // theft\nimport x from './desk.ts';";
    const found = identifiersOf(source)
      .flatMap(wordsOf)
      .filter((word) => word in GIVEN_UP);
    expect(found).to.deep.equal(['sealed', 'ticket', 'door']);
  });
});
