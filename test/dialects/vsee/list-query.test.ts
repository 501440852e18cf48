import { expect } from 'chai';
import { ListQuery } from '../../../src/dialects/vsee/users/list-query.ts';

function read(query: Record<string, unknown>): unknown {
  const parsed = ListQuery.safeParse(query);
  return parsed.success ? parsed.data : parsed.error.issues[0]?.message;
}

describe("VSee's list parameters", () => {
  it('lists come in every form', () => {
    for (const type of [
      '200,400',
      ['200', '400'],
      '[200,400]',
      '[ 200 , 400 ]',
      '["200","400"]',
      ['[200]', '400'],
      '200,,400,',
    ]) {
      expect(read({ type }), JSON.stringify(type)).to.deep.equal({ type: ['200', '400'] });
    }
    expect(read({ role: "['a b','c']" })).to.deep.equal({ role: ['a b', 'c'] });
  });

  it('ids have up to twenty digits and keep their leading zeros', () => {
    expect(read({ id: '020000000001' })).to.deep.equal({ id: ['020000000001'] });
    expect(read({ id: '1'.repeat(20) })).to.deep.equal({ id: ['1'.repeat(20)] });
    expect(read({ id: '1'.repeat(21) })).to.equal('Invalid id');
  });

  it('empty values and unknown names are ignored', () => {
    const empty = {
      id: '',
      type: '[]',
      q: '  ',
      sort: '',
      start: '',
      is_admin: '',
      fields: [''],
      nobody: 'x',
      ex_filter: '',
    };
    const known = Object.entries(read(empty) as object).filter(([, value]) => value !== undefined);
    expect(known).to.deep.equal([]);
  });

  it('sort is a name and a direction, or an object of one', () => {
    const input = { sort: { by: 'full_name', descending: true } };
    for (const sort of ['full_name.desc', { full_name: 'desc' }, '{"full_name":"desc"}']) {
      expect(read({ sort })).to.deep.equal(input);
    }
    for (const sort of [
      'full_name',
      'full_name.up',
      'full_name.desc.asc',
      'password.asc',
      '.asc',
      '{}',
      '{"id":"asc","type":"asc"}',
      '{"id":1}',
      '{broken',
      '["id","asc"]',
      ['id.asc'],
      { __proto__: null, constructor: 'asc' },
      {},
    ]) {
      expect(read({ sort }), JSON.stringify(sort)).to.equal('Invalid sort');
    }
  });

  it('C6 wrong forms are named', () => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['type', 'doctor'],
      ['type', { $ne: '200' }],
      ['type', '-200'],
      ['status', '1e1'],
      ['q', 'pa'],
      ['q', ['pat', 'doc']],
      ['q', { $regex: '.*' }],
      ['q', 'pat\0'],
      ['full_name', ' pa '],
      ['email', '@x'],
      ['limit', '0'],
      ['limit', '-1'],
      ['limit', 'all'],
      ['limit', '1000000000000'],
      ['start', '-1'],
      ['is_admin', 'yes'],
      ['is_admin', 'TRUE'],
      ['is_hidden', '2'],
      ['ex_filter', 'mine'],
      ['ex_filter', 'ALL'],
      ['room_code', ['a', 'b']],
      ['role', { a: 'b' }],
    ];
    for (const [name, value] of wrong)
      expect(read({ [name]: value }), `${name} ${value}`).to.equal(`Invalid ${name}`);
  });

  it('a blank in the address filter was a plus', () => {
    expect(read({ email: ' an 1@x' })).to.deep.equal({ email: 'an+1@x' });
  });
});
