import { expect } from 'chai';
import { z } from 'zod';
import * as fields from '../../../src/dialects/vsee/fields.ts';
import { tokenList } from '../../../src/dialects/vsee/sign-in/sign-out.ts';
import { gps } from '../../../src/dialects/vsee/users/me.ts';

const { clearable, filled, optional, required, text } = fields;

/** The value, or the message of the first fault. */
function outcome(schema: z.ZodType, value: unknown): unknown {
  const parsed = z.object({ it: schema }).safeParse(value === undefined ? {} : { it: value });
  return parsed.success ? parsed.data.it : parsed.error.issues[0]?.message;
}

const WRONG = 'Invalid it';
const name = text({ limit: 5 });
const zip = text({ limit: 5, numbers: true });

describe("VSee's members", () => {
  it('a text is judged in the order absent, type, control character, empty, length', () => {
    const field = required('it', name);
    for (const absent of [undefined, null, '', '   ', '\u00a0']) {
      expect(outcome(field, absent), String(absent)).to.equal('it is required');
    }
    for (const wrong of [
      1,
      0,
      true,
      false,
      [],
      ['x'],
      {},
      new Blob(['x']),
      '\t',
      ' \n',
      'a\0',
      '\ud800',
      'abcdef',
    ]) {
      expect(outcome(field, wrong), JSON.stringify(wrong)).to.equal(WRONG);
    }
    expect(outcome(field, ' Zoë ')).to.equal('Zoë'.normalize('NFC'));
    expect(outcome(field, 'e\u0301')).to.equal('é');
    expect(outcome(field, '😀😀😀😀😀')).to.equal('😀😀😀😀😀');
  });

  it('an empty text is absent, clears, or is refused, as the table says', () => {
    expect(outcome(optional('it', name), ' ')).to.equal(undefined);
    expect(outcome(optional('it', name), null)).to.equal(undefined);
    expect(outcome(clearable('it', name), '')).to.equal(null);
    expect(outcome(clearable('it', name), null)).to.equal(undefined);
    expect(outcome(filled('it', name), ' ')).to.equal(WRONG);
    expect(outcome(filled('it', name), null)).to.equal(undefined);
    expect(outcome(fields.orEmpty('it', fields.password), '')).to.equal('');
  });

  it('numbers are their decimal text where the member takes them, and only if nothing of them is lost', () => {
    expect(outcome(required('it', zip), 7123)).to.equal('7123');
    expect(outcome(required('it', zip), 1.5)).to.equal('1.5');
    expect(outcome(required('it', name), 7123)).to.equal(WRONG);
    const code = required('it', text({ limit: 128, numbers: true, exact: true }));
    expect(outcome(code, 12345678901)).to.equal('12345678901');
    for (const lost of [Number('12345678901234567890'), 2 ** 53, 1e21, 1e-9, Number.NaN]) {
      expect(outcome(code, lost), String(lost)).to.equal(WRONG);
    }
    expect(outcome(code, ' a ')).to.equal(' a ');
    expect(outcome(code, '  ')).to.equal('it is required');
  });

  it('W4 a password is taken as sent, at most 1024 bytes', () => {
    const field = required('it', fields.password);
    for (const kept of [' ', ' secret ', 'a\tb', 'e\u0301', 'ü'.repeat(512)])
      expect(outcome(field, kept)).to.equal(kept);
    expect(outcome(field, '')).to.equal('it is required');
    for (const wrong of ['a\0b', '\udc00', 'ü'.repeat(513), 1, ['x'], {}]) {
      expect(outcome(field, wrong)).to.equal(WRONG);
    }
  });

  it('an integer is a JSON integer or up to nine digits', () => {
    const field = optional('it', fields.integer(10, 3600));
    expect(outcome(field, 60)).to.equal(60);
    expect(outcome(field, '60')).to.equal(60);
    expect(outcome(field, '0000060')).to.equal(60);
    expect(outcome(field, '')).to.equal(undefined);
    for (const wrong of [
      '300s',
      ' 60',
      '-60',
      '+60',
      '6e1',
      '60.0',
      60.5,
      9,
      3601,
      true,
      [60],
      {},
      '0000000060',
      '６０',
    ]) {
      expect(outcome(field, wrong), JSON.stringify(wrong)).to.equal(WRONG);
    }
  });

  it('tos is 0 or 1 as integer, text or boolean', () => {
    const field = filled('it', fields.flag);
    for (const yes of [1, '1', true]) expect(outcome(field, yes)).to.equal(true);
    for (const no of [0, '0', false]) expect(outcome(field, no)).to.equal(false);
    for (const wrong of [2, '2', 'true', '', ' ', '01', [1], {}])
      expect(outcome(field, wrong)).to.equal(WRONG);
  });

  it('a date is a day that exists, from 1900 on', () => {
    const field = optional('it', fields.date);
    for (const day of ['1900-01-01', '2000-02-29', '1988-10-02'])
      expect(outcome(field, ` ${day} `)).to.equal(day);
    for (const wrong of [
      '1899-12-31',
      '2001-02-29',
      '2001-02-30',
      '1990-13-01',
      '1990-00-10',
      '1990-1-1',
      '10/02/1988',
      '1988-10-02T00:00:00Z',
      '+1988-10-02',
      '１９８８-10-02',
      19881002,
    ]) {
      expect(outcome(field, wrong), String(wrong)).to.equal(WRONG);
    }
  });

  it('R2 an address is trimmed, lower-cased, and has one @ and two labels', () => {
    const field = required('it', fields.email);
    expect(outcome(field, ' PAT@X.Test ')).to.equal('pat@x.test');
    expect(outcome(field, `${'a'.repeat(64)}@x.test`)).to.be.a('string');
    for (const wrong of [
      'not-an-address',
      'pat@x',
      '@x.test',
      'pat@',
      'pat@.test',
      'pat@x.',
      'pat@x..test',
      'a@b@x.test',
      'pa t@x.test',
      'pat@x.te st',
      'pat\u00a0o@x.test',
      `${'a'.repeat(65)}@x.test`,
      `a@${'b'.repeat(250)}.test`,
      'pat@x.test\r\nbcc: a@b.c',
    ]) {
      expect(outcome(field, wrong), wrong).to.equal(WRONG);
    }
  });

  it('gender, state and gps have their forms', () => {
    expect(outcome(clearable('it', fields.gender), ' FeMale')).to.equal('female');
    for (const wrong of ['2', 2, 'other', 'm'])
      expect(outcome(clearable('it', fields.gender), wrong)).to.equal(WRONG);
    expect(outcome(clearable('it', fields.stateCode), 'nj')).to.equal('NJ');
    for (const wrong of ['N', 'NJX', 'N1', 'ßß'])
      expect(outcome(clearable('it', fields.stateCode), wrong)).to.equal(WRONG);
    const place = filled('it', gps);
    expect(outcome(place, { lat: '37.3', long: -121.9 })).to.deep.equal({ lat: 37.3, long: -121.9 });
    expect(outcome(place, '{"lat":-90,"long":"180"}')).to.deep.equal({ lat: -90, long: 180 });
    for (const wrong of [
      '',
      'x',
      '[]',
      'null',
      '1',
      {},
      { lat: 1 },
      { lat: 91, long: 0 },
      { lat: 0, long: '-180.1' },
      { lat: '', long: '' },
      { lat: true, long: 0 },
      [1, 2],
    ]) {
      expect(outcome(place, wrong), JSON.stringify(wrong)).to.equal(WRONG);
    }
  });

  it('tokens to sign out come as array, text with commas, and the text of an array', () => {
    const field = optional('it', tokenList);
    for (const form of [['a', 'b'], 'a,b', ' a , b ', '["a","b"]', "['a','b']", ['a,b'], '[a, b,,]']) {
      expect(outcome(field, form), JSON.stringify(form)).to.deep.equal(['a', 'b']);
    }
    for (const none of [null, '', ' ', [], '[]', [''], ',']) expect(outcome(field, none)).to.equal(undefined);
    for (const wrong of [
      {},
      { $ne: null },
      1,
      true,
      ['a', 1],
      ['a', null],
      [['a']],
      Array(101).fill('a'),
      'a,'.repeat(101),
    ]) {
      expect(outcome(field, wrong)).to.equal(WRONG);
    }
  });
});
