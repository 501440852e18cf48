/** How replies of a vendor's own server are read: replies as the contracts print them, and such as no vendor sends. */
import { expect } from 'chai';
import { example } from '../../src/dialects/_example/example.ts';
import { type Answer, joined, type LegacyReply } from '../../src/dialects/contract/legacy-api.ts';
import { loadAllDialects } from '../../src/dialects/registry.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';

const replied = (status: number, json: unknown, headers: Record<string, string> = {}): LegacyReply => ({
  status,
  json,
  header: (name) => headers[name],
});

const mara = {
  uuid: '5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01',
  first_name: 'Mara',
  last_name: 'Ito',
  email: 'mara@clinic.test',
  subscription_status: 'active',
};

/** What every question of every dialect makes of a reply that answers nothing. */
const NO_ANSWER: readonly (readonly [string, LegacyReply, 'later' | 'odd'])[] = [
  ['429', replied(429, { message: 'Too many' }, { 'retry-after': '37' }), 'later'],
  ['503', replied(503, undefined), 'later'],
  ['500', replied(500, { status: false, message: 'Server error' }), 'odd'],
  ['a redirect', replied(302, undefined, { location: 'http://other.test/' }), 'odd'],
  ['nothing', replied(204, undefined), 'odd'],
  ['a 200 that is no JSON', replied(200, undefined), 'odd'],
  ['null', replied(200, null), 'odd'],
  ['a list', replied(200, [mara]), 'odd'],
  ['another 200', replied(200, { ok: true }), 'odd'],
  ['a 401 of a gateway', replied(401, undefined), 'odd'],
  ['a 404 of a gateway', replied(404, '<html>'), 'odd'],
];

function kindOf(answer: Answer): string {
  return answer === 'no' ? 'no' : (Object.keys(answer)[0] ?? '');
}

describe('replies of a legacy system', () => {
  it('M6 are odd or later where they are no answer, at every question of every dialect', async () => {
    for (const { name, legacy } of [example, ...(await loadAllDialects())]) {
      const questions = Object.entries(legacy ?? {}).filter(([, question]) => 'read' in question);
      expect(questions.length, name).to.be.greaterThan(2);
      for (const [asked, question] of questions)
        for (const [what, reply, kind] of NO_ANSWER)
          expect(kindOf(question.read(reply, {})), `${name} ${asked}: ${what}`).to.equal(kind);
    }
  });

  it('M6 say when to come again', () => {
    const read = visitnote.legacy?.signIn?.read;
    const asked = { login: '', password: '' };
    expect(read?.(replied(429, {}, { 'retry-after': '37' }), asked)).to.deep.equal({ later: 37 });
    expect(read?.(replied(503, {}, { 'retry-after': 'soon' }), asked)).to.deep.equal({ later: undefined });
  });

  it('lay a later answer over an earlier one', () => {
    const first = {
      vendorId: 'a',
      account: { email: 'a@x.test', claims: { name: 'A' }, vendor: { x: 1, y: 1 } },
    };
    const then = { account: { claims: { gender: 'male' }, vendor: { y: 2 } }, addressVerified: true };
    expect(joined(first, then)).to.deep.equal({
      vendorId: 'a',
      account: { email: 'a@x.test', claims: { name: 'A', gender: 'male' }, vendor: { x: 1, y: 2 } },
      addressVerified: true,
    });
  });
});
