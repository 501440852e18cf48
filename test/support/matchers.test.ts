import { expect } from 'chai';
import { differences } from './matchers.ts';

describe('the comparison of replies', () => {
  it('holds equal values equal, whatever the order of members', () => {
    expect(differences({ a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] })).to.deep.equal([]);
  });

  it('names a member that is missing, one too many, and one of another type', () => {
    expect(differences({ a: 1, b: 2 }, { a: '1', c: 3 })).to.deep.equal([
      '/a: expected 1, got "1"',
      '/b: expected 2, got nothing',
      '/c: not expected, got 3',
    ]);
  });

  it('tells null, absent and the empty string apart', () => {
    expect(differences({ a: null }, {})).to.have.length(1);
    expect(differences({ a: '' }, { a: null })).to.have.length(1);
    expect(differences({ a: '<absent>' }, {})).to.deep.equal([]);
    expect(differences({ a: '<null>' }, {})).to.have.length(1);
    expect(differences({ a: '<absent>' }, { a: null })).to.have.length(1);
  });

  it('counts the items of a list', () => {
    expect(differences([1], [1, 2])).to.have.length(1);
    expect(differences([1, 2], [1])).to.have.length(2);
    expect(differences({}, [])).to.have.length(1);
  });

  const cases: [matcher: string, right: unknown[], wrong: unknown[]][] = [
    ['<jwt>', ['a.b.c'], ['a.b', 'a.b.c.d', '', 1]],
    ['<uuid>', ['5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01'], ['5f0c7a526f0e4f0b9d2c0c2f5b7f1a01', 'x', null]],
    ['<hex:4>', ['0aff'], ['0afg', '0af', '0AFF', 1234]],
    ['<digits>', ['007'], ['', '1a', 7]],
    ['<string>', ['x', ' '], ['', 1, null, undefined]],
    ['<int>', [0, -3], [1.5, '1', null]],
    ['<bool>', [true, false], ['true', 0]],
    ['<any>', [null, 0, '', {}], [undefined]],
    [
      '<iso:s>',
      ['2030-01-15T14:30:00Z'],
      ['2030-01-15T14:30:00.000Z', '2030-13-15T14:30:00Z', '2030-01-15 14:30:00Z'],
    ],
    ['<iso:ms>', ['2030-01-15T14:30:00.123Z'], ['2030-01-15T14:30:00Z', '2030-01-15T14:30:00.123+00:00']],
    ['<iso:us>', ['2030-01-15T14:30:00.123456Z'], ['2030-01-15T14:30:00.123Z']],
    ['<re:^a.+z$>', ['abz', 'a>\nz'], ['az', 'b', 1]],
  ];

  for (const [matcher, right, wrong] of cases) {
    it(`${matcher} takes what it says and nothing else`, () => {
      for (const value of right) expect(differences(matcher, value), JSON.stringify(value)).to.deep.equal([]);
      for (const value of wrong) expect(differences(matcher, value), JSON.stringify(value)).to.have.length(1);
    });
  }

  it('<epoch+N> takes whole seconds within a minute of now plus N', () => {
    const now = Math.floor(Date.now() / 1000);
    for (const value of [now, now - 55, now + 55]) expect(differences('<epoch+0>', value)).to.deep.equal([]);
    for (const value of [now - 90, String(now), now * 1000]) {
      expect(differences('<epoch+0>', value)).to.have.length(1);
    }
    expect(differences('<epoch+900>', now + 900)).to.deep.equal([]);
    for (const value of [now, now + 900.5]) expect(differences('<epoch+900>', value)).to.have.length(1);
  });

  it('refuses a matcher that does not exist', () => {
    expect(() => differences('<hexx:32>', 'a')).to.throw('no matcher');
    expect(() => differences('<integer>', 1)).to.throw('no matcher');
  });
});
