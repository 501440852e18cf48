import { expect } from 'chai';
import { createLog } from '../../src/observe/log.ts';
import { leastWorkOf } from '../support/cpu-time.ts';
import { HOSTILE_SHAPES } from '../support/hostile-text.ts';

/** What a log wrote, as text and as parsed lines. */
function capture(level = 'debug') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, text: () => lines.join(''), parsed: () => lines.map((line) => JSON.parse(line)) };
}

const JWT = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`;

describe('The log', () => {
  it('is one JSON object a line, with level, UTC time and process', () => {
    const { log, parsed } = capture();
    log.info({ requestId: 'r1', status: 200 }, 'request');
    const [line] = parsed();
    expect(line).to.include({
      level: 'info',
      msg: 'request',
      requestId: 'r1',
      status: 200,
      pid: process.pid,
    });
    expect(line.time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes nothing below its level', () => {
    const { log, text } = capture('warn');
    log.info('no');
    log.warn('yes');
    expect(text()).to.contain('yes').and.not.to.contain('no"');
  });

  for (const name of [
    'password',
    'newPassword',
    'old_password',
    'password_hash',
    'client_secret',
    'X-ApiSecret',
    'access_token',
    'refreshToken',
    'id_token_hint',
    'sso_token',
    'email_token',
    'X-ApiToken',
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'Set-Cookie',
    'code',
    'otp',
    'code_verifier',
    'user_code',
    'device_code',
    'client_assertion',
    'api_key',
    'X-API-Key',
    'x-apikey',
    'privateKey',
    'jti',
    'ticket',
    'dpop',
  ]) {
    it(`L2 hides ${name}, at the top, deep down, in lists and when bound to a child`, () => {
      const { log, text } = capture();
      log.info({ [name]: 'Wanted-Secret-1' }, 'top');
      log.info({ req: { headers: [{ deep: { [name]: 'Wanted-Secret-2' } }] } }, 'deep');
      log.info({ [name]: { nested: 'Wanted-Secret-3' } }, 'object');
      log.child({ [name]: 'Wanted-Secret-4' }).info('child');
      log
        .child({})
        .child({ inner: { [name]: 'Wanted-Secret-5' } })
        .info('grandchild');
      expect(text()).not.to.contain('Wanted-Secret');
    });
  }

  for (const [form, line] of [
    ['a JWT', `got ${JWT} today`],
    ['a bearer value', 'authorization was Bearer Wanted-Secret'],
    ['basic credentials', 'sent Basic V2FudGVkLVNlY3JldA=='],
    ['an opaque refresh token', `used rt_${'a1b2'.repeat(16)}`],
    ['an API key', `with avk_${'0f1e'.repeat(16)}`],
    ['a token of a Laravel server', `with 17|${'0f1e'.repeat(10)}`],
    ['a verification ticket', `vt_${'Wanted-Secret'.repeat(3)}`],
    ['a reset ticket', `opened rst_${'Wanted-Secret'.repeat(3)} twice`],
    ['a code in a query', 'GET /callback?state=s&code=Wanted-Secret&iss=x'],
    ['a token in a query', '/auth?sso_token=Wanted-Secret&next=/'],
    ['a form', 'grant_type=password&username=a&password=Wanted-Secret'],
    ['quoted JSON', 'unexpected token in {"user":"a","password":"Wanted-Secret"}'],
    ['a JWT behind a hyphen', `id-${JWT}`],
    ['a JWT behind a word of the same letters', `eyJ-eyJ.${JWT}`],
    ['a connection string behind a plus', 'see +mongodb+srv://user:Wanted-Secret@db/x'],
    ['a connection string', 'connect to mongodb://user:Wanted-Secret@db:27017 failed'],
  ] as const) {
    const secret = /Wanted-Secret|V2FudGVk|a1b2a1b2|0f1e0f1e|c2lnbmF0dXJl/;
    it(`L2 hides ${form} in messages, members, formatted values and errors`, () => {
      const { log, text } = capture();
      log.info(line);
      log.info({ url: line }, 'member');
      log.info({ list: [{ a: line }] }, 'list');
      log.info('said %s', line);
      log.error(new Error(line));
      log.error({ err: new Error('outer', { cause: new Error(line) }) }, 'wrapped');
      expect(text()).not.to.match(secret);
      expect(text().trim().split('\n')).to.have.lengthOf(6);
    });
  }

  for (const [shape, of] of Object.entries(HOSTILE_SHAPES)) {
    it(`B1 takes no longer to redact a longer text, of ${shape}`, async () => {
      const { log } = capture();
      // Half of what is looked at, and more than that.
      const work = (bytes: number) => leastWorkOf(() => log.info({ text: of(bytes), list: [of(bytes)] }), 8);
      const [short, long] = [await work(2_000), await work(64_000)];
      expect(long, `${short} ms for 2 kB, ${long} ms for 64 kB`).to.be.below(8 * Math.max(short, 1));
    });
  }

  it('keeps what is no secret', () => {
    const { log, parsed } = capture();
    log.info(
      { clientId: 'web-app', url: '/authorize?client_id=web-app&scope=openid', accountcode: 'clinic' },
      'kept',
    );
    expect(parsed()[0]).to.include({
      clientId: 'web-app',
      url: '/authorize?client_id=web-app&scope=openid',
      accountcode: 'clinic',
    });
  });

  it('writes an error with its name, message, stack, code and cause, and nothing else of it', () => {
    const { log, parsed, text } = capture();
    const error = Object.assign(new Error('no answer', { cause: new Error('refused') }), {
      code: 'ECONNREFUSED',
      command: { find: 'accounts', filter: { email: 'a@b.example' } },
    });
    log.error({ err: error }, 'store');
    const [{ err }] = parsed();
    expect(err).to.include({ type: 'Error', message: 'no answer', code: 'ECONNREFUSED' });
    expect(err.cause.message).to.equal('refused');
    expect(err.stack).to.contain('log.test.ts');
    expect(text()).not.to.contain('a@b.example');
  });

  it('L3 cannot be made to start a line of its own or to drive a terminal', () => {
    const { log, text } = capture();
    const hostile = 'a\r\n{"level":"info","msg":"forged"}\u001b[2J\u2028';
    log.info(hostile);
    log.info({ agent: hostile, [hostile]: 1 }, 'member');
    expect(text().trim().split('\n')).to.have.lengthOf(2);
    expect(text()).not.to.match(/[\r\u001b]/);
  });

  it('L3 survives whatever it is given', () => {
    const { log, parsed } = capture();
    const circle: Record<string, unknown> = { name: 'circle' };
    circle.self = circle;
    log.info(circle, 'circle');
    log.info(
      { when: new Date(0), bytes: Buffer.from('secret'), none: undefined, fn: () => 1, sym: Symbol('s') },
      'odd',
    );
    log.info({ long: 'x'.repeat(100_000), many: Array.from({ length: 10_000 }, (_, n) => n) }, 'large');
    expect(parsed()).to.have.lengthOf(3);
    expect(parsed()[1]).to.include({ when: '1970-01-01T00:00:00.000Z', bytes: '[bytes]' });
    expect(JSON.stringify(parsed()[2])).to.have.lengthOf.below(20_000);
  });
});
