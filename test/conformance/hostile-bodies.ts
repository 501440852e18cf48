/** Bodies that look for a parser, a query or a merge that takes them for more than text. */
export interface HostileBody {
  readonly text: string | Buffer;
  readonly type: string;
}

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

/** What a member should never be. */
const VALUES: readonly unknown[] = [
  { $ne: null },
  { $gt: '' },
  { $where: 'sleep(1000)' },
  { $regex: '.*' },
  { toString: 'x' },
  { length: 1 },
  ['a', 'b'],
  [],
  [{ $ne: 1 }],
  [null],
  {},
  0,
  -1,
  1e308,
  true,
  false,
  null,
  '',
  '\u0000',
  '\ud800',
  'a\r\nSet-Cookie: x=1',
  '#{7*7}<%= 7*7 %>"><svg onload=1>',
  `${'a@'.repeat(5000)}a`,
  'x'.repeat(60_000),
];

const WHOLE: readonly string[] = [
  '',
  '{',
  '[]',
  'null',
  '"text"',
  '1e999',
  '{"a":1}{"b":2}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"__proto__":null,"hasOwnProperty":1,"toString":1,"valueOf":{}}',
  `${'['.repeat(30_000)}`,
  `{"a":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
  `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":1`).join()}}`,
  '{"role":"admin","roles":["admin"],"organization":"other","tenant":"other","_id":"1","id":"1","status":"active","email_verified":true,"isVerified":true}',
];

const FORMS: readonly string[] = [
  '__proto__[polluted]=1&constructor[prototype][polluted]=1',
  `${'a=1&'.repeat(10_000)}`,
  'a=%ff&b=%zz',
  '=&==&&&[]=&[a]=1&a[=1&a]=1',
];

/** Each member in turn as each value, beside bodies that are wrong as a whole. */
export function hostileBodies(names: readonly string[]): HostileBody[] {
  const members = names.length === 0 ? ['email', 'password'] : names;
  const together = VALUES.map((value) =>
    JSON.stringify(Object.fromEntries(members.map((name) => [name, value]))),
  );
  const apart = members.flatMap((name) =>
    [{ $ne: null }, ['a'], 7, { a: 1 }].map((value) =>
      JSON.stringify({ ...Object.fromEntries(members.map((other) => [other, 'text'])), [name]: value }),
    ),
  );
  const brackets = [
    `${members.map((name) => `${name}[$ne]=`).join('&')}`,
    members.map((name) => `${name}=1&${name}=2`).join('&'),
  ];
  return [
    ...[...together, ...apart, ...WHOLE].map((text) => ({ text, type: JSON_TYPE })),
    ...[...FORMS, ...brackets].map((text) => ({ text, type: FORM })),
    { text: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), type: JSON_TYPE },
    {
      text: '--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\nx\r\n--x--\r\n',
      type: 'multipart/form-data; boundary=x',
    },
    { text: '--x\r\n', type: 'multipart/form-data; boundary=x' },
    { text: '<a/>', type: 'application/xml' },
    { text: '{}', type: 'application/json\u00e9' },
  ];
}
