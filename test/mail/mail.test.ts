import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import PostalMime from 'postal-mime';
import { createMailbox } from '../../src/mail/dev-mailbox.ts';
import type { Email, EmailBrand, MailTransport, RenderedEmail } from '../../src/mail/mailer.ts';
import { openMail } from '../../src/mail/open-mail.ts';
import { createEmailQueue } from '../../src/mail/queue.ts';
import { createSmtp } from '../../src/mail/smtp.ts';
import { createEmails } from '../../src/mail/templates.ts';
import type { EmailName } from '../../src/model/email-name.ts';
import { createLog } from '../../src/observe/log.ts';
import { inTime } from '../support/in-time.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';

const log = createLog({ level: 'silent' });
const FROM = 'Portico <no-reply@id.test>';
const ISSUER = 'https://id.test';
const BRAND: EmailBrand = {
  name: 'Portico',
  colours: {
    light: { accent: '#1f6f5c', onAccent: '#ffffff' },
    dark: { accent: '#6ec5ae', onAccent: '#06231b' },
  },
};
const emails = createEmails({ from: FROM, issuer: ISSUER, brand: BRAND });
/** Every email there is: those that bring a code, those that bring a link, and notices. */
const CODES: readonly EmailName[] = [
  'code',
  'activation-code',
  'register-code',
  'confirm-code',
  'delete-code',
];
const LINKS: readonly EmailName[] = ['reset-link', 'verify-address'];
const NOTICES: readonly EmailName[] = [
  'password-changed',
  'password-reset-done',
  'account-exists',
  'address-changed',
  'identity-linked',
  'identity-unlinked',
  'wrong-codes',
];

const email = (more: Partial<Email> = {}): Email => ({
  name: 'code',
  to: 'ana@clinic.test',
  organization: 'north',
  data: { code: '012345', lifetime: 600 },
  ...more,
});

describe('an email', () => {
  const LINK =
    'https://id.test/reset?organization=north&token=rst_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ';

  it('with a code has it on a line of its own, in text and in HTML', () => {
    const { text, html, subject } = emails.render(email());
    expect(text.split('\n')).to.include('Your code: 012345');
    expect(html).to.contain('>012345<');
    expect(text).to.contain('expires in 10 minutes');
    expect(subject).not.to.contain('012345');
  });

  it('with a link has it whole on a line of its own', () => {
    for (const name of LINKS) {
      const { text, html } = emails.render(email({ name, data: { link: LINK, lifetime: 3600 } }));
      expect(text.split('\n')).to.include(LINK);
      expect(html).to.contain(`href="${LINK.replace('&', '&amp;')}"`);
      expect(text).to.contain('expires in 1 hour');
    }
  });

  it('exists for every occasion, in words and not in keys', () => {
    for (const name of [...CODES, ...LINKS, ...NOTICES]) {
      const { subject, text, html } = emails.render(
        email({ name, data: { code: 'ztpand', link: LINK, lifetime: 86_400 } }),
      );
      expect(`${subject} ${text} ${html}`, name).not.to.match(/mail\.\S|\{\{|undefined|<%/);
      expect(text).to.contain('Portico');
      expect(subject).not.to.equal('');
    }
  });

  it('S7 escapes what it shows in HTML', () => {
    const evil = '"><svg onload=alert(1)>';
    const brand = { ...BRAND, name: evil, sender: evil, logo: evil, logoDark: evil };
    for (const name of [...CODES, ...LINKS, ...NOTICES]) {
      const data = { code: evil, link: evil, lifetime: 600 };
      const { html } = emails.render(email({ name, organization: evil, data }), brand);
      expect(html, name).not.to.contain('<svg');
    }
  });

  it('in a language that is not there is in English, whatever the account says', () => {
    for (const locale of ['en-GB', 'xx', '__proto__', '../../etc', '']) {
      expect(emails.render(email({ locale })).text).to.contain('Your code: 012345');
    }
  });

  const everyEmail = (locale: string) =>
    [...CODES, ...LINKS, ...NOTICES].map((name) => ({
      name,
      ...emails.render(
        email({ name, locale, data: CODES.includes(name) ? { code: 'ztpand' } : { link: LINK } }),
      ),
    }));

  it('brings one code or one button, whose link stands in the text beneath and in the plain part', () => {
    for (const locale of ['en', 'de', 'es'])
      for (const { name, html, text, from } of everyEmail(locale)) {
        const what = `${name}, ${locale}`;
        const hrefs = [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href = '']) => href);
        expect(hrefs, what).to.have.length(CODES.includes(name) ? 0 : 1);
        // A code is typed where it was asked for: a button in its email would lead away from there.
        expect(html.match(/class="code"/g)?.length ?? 0, what).to.equal(CODES.includes(name) ? 1 : 0);
        for (const href of hrefs) {
          expect(href, what).to.match(/^https:\/\/id\.test\//);
          expect(html, what).to.contain(`>${href}</p>`);
          expect(text.split('\n'), what).to.include(href.replaceAll('&amp;', '&'));
        }
        expect(from, what).to.deep.equal({ name: 'Portico', address: 'no-reply@id.test' });
        expect(html, what).to.contain('prefers-color-scheme: dark').and.contain('role="presentation"');
        expect(text.length, what).to.be.above(100);
      }
  });

  it('is called email in every language, and nothing that it was called before', () => {
    for (const [locale, input] of [
      ['en', /letter|e-mail|somebody|whoever/i],
      ['de', /\bBrief|Nachricht|E-\n?Mail\b(?<!E-Mail)/],
      ['es', /carta|mensaje/i],
    ] as const)
      for (const { name, text } of everyEmail(locale)) expect(text, name).to.not.match(input);
  });

  it('breaks no line after the hyphen of E-Mail', () => {
    for (const { html, name } of everyEmail('de')) expect(html, name).to.not.match(/E-Mail/);
  });

  it('of a notice shows nothing of the data that it was made with', () => {
    for (const name of NOTICES) {
      const data = { code: '907315', link: 'https://evil.test/', lifetime: 600 };
      const { html, text } = emails.render(email({ name, data }));
      expect(html + text, name).to.not.match(/907315|evil\.test/);
    }
  });

  it('wears name, logo and colour of its brand, and has one sender for an organization', () => {
    const brand: EmailBrand = {
      name: 'Harbour Kids',
      sender: 'Harbour Clinic',
      logo: 'https://kids.test/logo.png',
      logoDark: 'https://kids.test/dark.png',
      colours: {
        light: { accent: '#b45309', onAccent: '#fffffe' },
        dark: { accent: '#fdba74', onAccent: '#0a1612' },
      },
    };
    const { from, html, text } = emails.render(email({ name: 'reset-link', data: { link: LINK } }), brand);
    expect(from).to.deep.equal({ name: 'Harbour Clinic', address: 'no-reply@id.test' });
    expect(html)
      .to.contain('src="https://kids.test/logo.png"')
      .and.contain('src="https://kids.test/dark.png"');
    expect(html).to.contain('background-color: #b45309').and.contain('background-color: #fdba74 !important');
    expect(html).to.contain('account at Harbour Kids').and.not.contain('Portico');
    expect(text).to.contain('Harbour Kids').and.not.contain('Portico');
    // Six digits in a colour would look like a code.
    const digits = { accent: '#123456', onAccent: '#000000' };
    const plain = emails.render(email(), { ...brand, colours: { light: digits, dark: digits } });
    expect(plain.html.match(/(?<![0-9A-Za-z])\d{6}(?![0-9A-Za-z])/g)).to.deep.equal(['012345']);
  });

  it('of an unknown name is an error, not an empty email', () => {
    expect(() => emails.render(email(JSON.parse('{"name":"nothing"}')))).to.throw('nothing');
  });
});

describe('emails over SMTP', () => {
  let server: MailServer;
  beforeEach(async () => {
    server = await startMailServer();
  });
  afterEach(() => server.close());

  it('arrive, as text and HTML, from the configured sender', async () => {
    const { mailer, mailbox } = await openMail({
      config: {
        mail: { kind: 'smtp', from: FROM, smtp: { url: server.url } },
      },
      issuer: ISSUER,
      brand: BRAND,
      log,
    });
    expect(mailbox).to.equal(undefined);
    mailer.send(email());
    const received = await server.take('ana@clinic.test');
    expect(received).to.include({
      ...{ from: 'no-reply@id.test', fromName: 'Portico', subject: 'Your sign-in code' },
    });
    expect(received.text.split(/\r?\n/)).to.include('Your code: 012345');
    expect(received.html).to.contain('012345');
    expect(received.headers.get('auto-submitted')).to.equal('auto-generated');
    await mailer.close();
  });

  it('go to one address, whatever signs it holds', async () => {
    const smtp = await createSmtp({ url: server.url });
    const rendered = emails.render(email({ to: '"a, b@evil.test"@clinic.test' }));
    await smtp.deliver(rendered).catch(() => {});
    expect(server.emails.flatMap(({ to }) => to)).not.to.include('b@evil.test');
    await smtp.close();
  });
});

describe('the raw bytes of an email with a code', () => {
  it('hold no six-digit word but the code, headers included', async () => {
    const sink = await startRawServer();
    const smtp = await createSmtp({ url: `smtp://127.0.0.1:${sink.port}` });
    for (let i = 0; i < 200; i += 1)
      await smtp.deliver(emails.render(email({ data: { code: '907315', lifetime: 600 } })));
    await smtp.close();
    await sink.close();
    expect(sink.emails).to.have.length(200);
    for (const raw of sink.emails) {
      const words = new Set(raw.match(/(?<![0-9A-Za-z])\d{6}(?![0-9A-Za-z])/g));
      expect([...words]).to.deep.equal(['907315']);
      expect(raw).to.match(/^Your code: 907315\r$/m);
    }
    expect((await PostalMime.parse(sink.emails[0] ?? '')).text).to.contain('Your code: 907315');
  });
});

describe('the queue of emails', () => {
  /** Fails as often as told, then takes emails. */
  function flaky(
    failures: number,
    error: Error = new Error('no'),
  ): MailTransport & { taken: RenderedEmail[]; calls: number } {
    const state = {
      taken: [] as RenderedEmail[],
      calls: 0,
      async deliver(rendered: RenderedEmail) {
        state.calls += 1;
        if (state.calls <= failures) throw error;
        state.taken.push(rendered);
      },
      async close() {},
    };
    return state;
  }

  it('lets the sender go on at once', async () => {
    const mailer = createEmailQueue({
      transport: { deliver: () => new Promise(() => {}), close: async () => {} },
      emails,
      log,
    });
    await inTime((watch) =>
      watch.around('sending', 50, () => {
        for (let i = 0; i < 100; i += 1) mailer.send(email());
      }),
    );
  });

  it('B5 makes and sends nothing before the request that causes the email is answered', async () => {
    const transport = flaky(0);
    let rendered = 0;
    const watched = {
      render(one: Email) {
        rendered += 1;
        return emails.render(one);
      },
    };
    const mailer = createEmailQueue({ transport, emails: watched, log });
    mailer.send(email());
    // A handler that still has a few steps to go.
    for (let lease = 0; lease < 10; lease += 1) await new Promise(setImmediate);
    expect(rendered).to.equal(0);
    while (transport.taken.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(rendered).to.equal(1);
  });

  it('tries again with pauses until the email is taken', async () => {
    const transport = flaky(3);
    const mailer = createEmailQueue({ transport, emails, log, pause: 1 });
    mailer.send(email());
    while (transport.taken.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(transport.calls).to.equal(4);
  });

  it('gives up after its tries, and at once where the server says never', async () => {
    for (const [transport, calls] of [
      [flaky(100), 3],
      [flaky(100, Object.assign(new Error('550 no such user'), { responseCode: 550 })), 1],
    ] as const) {
      const gaveUp = new Promise<string>((resolve) => {
        createEmailQueue({ transport, emails, log, count: resolve, pause: 1, tries: 3 }).send(email());
      });
      expect(await gaveUp).to.equal('failed');
      expect(transport.calls).to.equal(calls);
    }
  });

  it('A2 drains before the end: what waits for its pause is tried once more', async () => {
    const transport = flaky(1);
    const mailer = createEmailQueue({ transport, emails, log, pause: 60_000 });
    mailer.send(email());
    while (transport.calls === 0) await new Promise(setImmediate);
    mailer.send(email());
    expect(await mailer.drain(1000)).to.equal(true);
    expect(transport.taken).to.have.length(2);
    await mailer.close();
    mailer.send(email());
    expect(transport.taken).to.have.length(2);
  });

  it('A2 stops waiting for a server that hangs', async () => {
    const mailer = createEmailQueue({
      transport: { deliver: () => new Promise(() => {}), close: async () => {} },
      emails,
      log,
    });
    mailer.send(email());
    expect(await mailer.drain(30)).to.equal(false);
  });

  it('is bounded', async () => {
    const transport = flaky(0);
    const mailer = createEmailQueue({ transport, emails, log, capacity: 10 });
    for (let i = 0; i < 50; i += 1) mailer.send(email());
    await mailer.drain(1000);
    expect(transport.taken).to.have.length(10);
  });

  it('renders an email to nobody and throws it away', async () => {
    const transport = flaky(0);
    const mailer = createEmailQueue({ transport, emails, log });
    mailer.send(email({ to: '' }));
    expect(await mailer.drain(1000)).to.equal(true);
    expect(transport.calls).to.equal(0);
  });

  it('L2 L3 says neither address nor code in the log', async () => {
    const lines: string[] = [];
    const watched = createLog({
      level: 'trace',
      destination: { write: (line: string) => void lines.push(line) },
    });
    const error = Object.assign(new Error('550 <ana@clinic.test> is unknown: 012345'), {
      code: 'EENVELOPE',
      responseCode: 550,
    });
    const mailer = createEmailQueue({ transport: flaky(9, error), emails, log: watched });
    mailer.send(email());
    await mailer.drain(1000);
    expect(lines.join(''))
      .to.contain('EENVELOPE')
      .and.not.to.match(/ana@|012345/);
  });
});

describe('the development mailbox', () => {
  it('keeps the newest two hundred emails, newest first', async () => {
    const mailbox = createMailbox();
    for (let i = 0; i < 210; i += 1) await mailbox.deliver(emails.render(email({ to: `p${i}@x.test` })));
    expect(mailbox.list()).to.have.length(200);
    expect(mailbox.list()[0]?.to).to.equal('p209@x.test');
  });
});

/** The least that is an SMTP server, to see an email as it is on the wire. */
async function startRawServer(): Promise<{ port: number; emails: string[]; close(): Promise<void> }> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    let inData = false;
    socket.write('220 raw\r\n');
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (;;) {
        const mark = inData ? '\r\n.\r\n' : '\r\n';
        const end = text.indexOf(mark);
        if (end < 0) return;
        const part = text.slice(0, end);
        text = text.slice(end + mark.length);
        if (inData) received.push(part);
        inData = !inData && part.toUpperCase() === 'DATA';
        socket.write(inData ? '354 go\r\n' : '250 ok\r\n');
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    emails: received,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
