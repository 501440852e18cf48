import { expect } from 'chai';
import { nextUrl } from '../../../src/dialects/vsee/sign-in/next-url.ts';

const HOME = 'http://portal.clinicdev.test';

function goTo(next: string, { prefix = '', portal = HOME } = {}): string | undefined {
  return nextUrl({ portal: new URL(portal), prefix, next });
}

/** Sent as the decoded value of `next`. */
const LEAVE_THE_PORTAL = [
  '//evil.test',
  '//evil.test/x',
  '///evil.test',
  '////evil.test/',
  '//evil.test:80/',
  '//portal.clinicdev.test.evil.test/',
  '//portal.clinicdev.test@evil.test/',
  '//evil%E3%80%82test/',
  '//evil。test/',
  '//ⓔvil.test/',
  '//[::1]/',
  '//127.1/',
  '//2130706433/',
  '//portal.clinicdev.test./',
  '//portal.clinicdev.test:8080/',
  '//x:y@portal.clinicdev.test/',
  '//x@portal.clinicdev.test/',
  ' //evil.test',
  '　//evil.test'.trim(),
  'http://evil.test',
  'http://evil.test/u/clinic',
  'HTTP://EVIL.TEST/',
  'hTtP:////evil.test',
  'http:///evil.test',
  'http://portal.clinicdev.test.evil.test/',
  'http://portal.clinicdev.test@evil.test/',
  'http://portal.clinicdev.test:80@evil.test/',
  'http://portal.clinicdev.test%2eevil.test/',
  'http://portal.clinicdev.test%40evil.test/',
  'http://portal-clinicdev.test/',
  'http://xportal.clinicdev.test/',
  'http://clinicdev.test/',
  'http://portal.clinicdev.test:81/',
  'http://user@portal.clinicdev.test/',
  'http://user:pass@portal.clinicdev.test/',
  'http://:pass@portal.clinicdev.test/',
  'https://evil.test/',
  'https://portal.clinicdev.test/',
  'https:portal.clinicdev.test/',
  'https:evil.test',
  'https:/evil.test',
  'https:///evil.test',
  'https:u/clinic',
  'ftp://portal.clinicdev.test/',
  'ws://portal.clinicdev.test/',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  ' javascript:alert(1)',
  'javascript://portal.clinicdev.test/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'data:text/html;base64,PHNjcmlwdD4=',
  'vbscript:msgbox(1)',
  'file:///etc/passwd',
  'file://portal.clinicdev.test/x',
  'blob:http://portal.clinicdev.test/1234',
  'blob:http://evil.test/1234',
  'filesystem:http://portal.clinicdev.test/temporary/x',
  'about:blank',
  'mailto:a@portal.clinicdev.test',
  'view-source:http://portal.clinicdev.test/',
  'intent://portal.clinicdev.test/#Intent;scheme=http;end',
  'http://',
  'http://[',
  'http://%00/',
  'http://portal.clinicdev.test%00.evil.test/',
  '//',
  '//%5cevil.test',
];

const BROKEN = [
  '/\\evil.test',
  '\\\\evil.test',
  '\\/evil.test',
  '\\evil.test',
  '/u/clinic\\..\\x',
  'http:\\\\evil.test',
  '/\t/evil.test',
  '\t//evil.test',
  'java\tscript:alert(1)',
  'java\nscript:alert(1)',
  '/u\r\nSet-Cookie: a=b',
  '/u\r\n\r\n<script>',
  '/\n/evil.test',
  '/u/clinic\0',
  '\0//evil.test',
  '/u\u0085x',
  '/u\u007fx',
  `/${'a'.repeat(2048)}`,
  '/\ud800',
];

const STAY: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['', '/'],
  ['/u/clinic', '/u/clinic'],
  ['u/clinic', '/u/clinic'],
  ['./u/clinic', '/u/clinic'],
  ['../../u/clinic', '/u/clinic'],
  ['@evil.test', '/@evil.test'],
  ['.evil.test', '/.evil.test'],
  [':80/x', '/:80/x'],
  ['%2F%2Fevil.test', '/%2F%2Fevil.test'],
  ['%5Cevil.test', '/%5Cevil.test'],
  ['/%5C%5Cevil.test', '/%5C%5Cevil.test'],
  ['/%0d%0aSet-Cookie:a=b', '/%0d%0aSet-Cookie:a=b'],
  ['/u?next=//evil.test', '/u?next=//evil.test'],
  ['/u?next=https%3A%2F%2Fevil.test', '/u?next=https%3A%2F%2Fevil.test'],
  ['/u#//evil.test', '/u#//evil.test'],
  ['?a=1', '/?a=1'],
  ['#top', '/#top'],
  ['/visits/start/7?a=1&b=2#top', '/visits/start/7?a=1&b=2#top'],
  ['/..//evil.test', '//evil.test'],
  ['/.//evil.test', '//evil.test'],
  ['/a b', '/a%20b'],
  ['/ü', '/%C3%BC'],
  ['/"><script>', '/%22%3E%3Cscript%3E'],
  ['http:u/clinic', '/u/clinic'],
  ['http:/evil.test', '/evil.test'],
  ['http://portal.clinicdev.test/u/clinic', '/u/clinic'],
  ['http://PORTAL.clinicdev.test:80/u/clinic', '/u/clinic'],
  ['//portal.clinicdev.test/u/clinic', '/u/clinic'],
];

describe('Where GET /auth leads to', () => {
  describe('C5 `next` that leaves the portal is refused', () => {
    for (const next of LEAVE_THE_PORTAL) {
      it(JSON.stringify(next), () => {
        expect(goTo(next)).to.equal(undefined);
        expect(goTo(next, { prefix: '/vc/next' })).to.equal(undefined);
      });
    }
  });

  describe('C5 `next` with what browsers read differently is refused', () => {
    for (const next of BROKEN) {
      it(JSON.stringify(next.slice(0, 40)), () => expect(goTo(next)).to.equal(undefined));
    }
  });

  describe('C5 `next` that stays is an absolute URL of the portal', () => {
    for (const [next, path] of STAY) {
      it(`${JSON.stringify(next)} is ${path}`, () => {
        expect(goTo(next)).to.equal(HOME + path);
        expect(new URL(goTo(next) ?? '').origin).to.equal(HOME);
      });
    }
  });

  it('takes exactly 2048 characters', () => {
    expect(goTo(`/${'a'.repeat(2047)}`)).to.be.a('string');
    expect(goTo(`/${'😀'.repeat(2047)}`)).to.be.a('string');
    expect(goTo(`/${'😀'.repeat(2048)}`)).to.equal(undefined);
  });

  describe('the request prefix and the portal path', () => {
    const prefix = '/vc/next';
    for (const [next, expected] of [
      ['/u/clinic', '/vc/next/u/clinic'],
      ['/', '/vc/next/'],
      ['/vc/next/u/clinic', '/vc/next/u/clinic'],
      ['/vc/next', '/vc/next'],
      ['/vc/nextish/u', '/vc/next/vc/nextish/u'],
      ['/vc/stable/u', '/vc/next/vc/stable/u'],
      ['/vc', '/vc/next/vc'],
      ['/vc/next/../../u', '/vc/next/u'],
      ['/vc/next/%2e%2e/%2e%2e/u', '/vc/next/u'],
      ['/u?x=/vc/next#y', '/vc/next/u?x=/vc/next#y'],
      ['/..//evil.test', '/vc/next//evil.test'],
    ] as const) {
      it(`${next} under ${prefix} is ${expected}`, () =>
        expect(goTo(next, { prefix })).to.equal(HOME + expected));
    }

    it('come in that order, once', () => {
      for (const portal of [`${HOME}/app`, `${HOME}/app/`]) {
        expect(goTo('/u', { prefix, portal })).to.equal(`${HOME}/app/vc/next/u`);
        expect(goTo('/app/vc/next/u', { prefix, portal })).to.equal(`${HOME}/app/vc/next/u`);
        expect(goTo('/app/u', { portal })).to.equal(`${HOME}/app/u`);
        expect(goTo('/apple', { portal })).to.equal(`${HOME}/app/apple`);
      }
    });

    it('an https portal takes https and refuses http', () => {
      const portal = 'https://portal.test';
      expect(goTo('https://portal.test/u', { portal })).to.equal('https://portal.test/u');
      expect(goTo('http://portal.test/u', { portal })).to.equal(undefined);
    });
  });
});
