/**
 * C3: every route of every dialect against requests whose organization is the caller's own, another's, not
 * named, or named twice. What is another's gets the vendor's own refusal, the same bytes as what is not there.
 */
import { expect } from 'chai';
import type { Incoming } from '../../support/http-client.ts';
import { medisync } from '../vendors.ts';
import { rows as avycennaRows } from './organizations/avycenna.ts';
import { rows as careportalsRows } from './organizations/careportals.ts';
import { rows as medisyncRows } from './organizations/medisync.ts';
import { Cast, PLACES, type Question, type Row } from './organizations/questions.ts';
import { rows as visitnoteRows } from './organizations/visitnote.ts';
import { rows as vseeRows } from './organizations/vsee.ts';
import { routeNames } from './routes.ts';
import { openWorld, type World } from './world.ts';

const ROWS: Readonly<Record<string, Row>> = {
  ...visitnoteRows,
  ...medisyncRows,
  ...careportalsRows,
  ...avycennaRows,
  ...vseeRows,
};

/** What a reply says, without what is new in every reply or was in the request. */
function comparable({ status, headers, text }: Incoming): string {
  const said = text
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<jwt>')
    .replace(/[\w.+-]+@[\w.]+/g, '<address>')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replace(/\b(vt|rt|rst|usr|user|avk|key)_[\w-]+/g, '<$1>')
    .replace(/\b(?:[0-9a-f]{24}|[0-9a-f]{32})\b/g, '<hex>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  return JSON.stringify([status, headers['content-type'], headers['www-authenticate'], said]);
}

describe('C3 organizations and dialects', () => {
  let world: World;
  let cast: Cast;
  before(async () => {
    world = await openWorld();
    cast = new Cast(world);
  });
  after(() => world.close());

  async function ask({ ask: request, says, like, besides }: Question): Promise<void> {
    const reply = await world.send(await request(cast));
    if (typeof says === 'number') expect(reply.status, reply.text).to.equal(says);
    else expect([reply.status, reply.json()]).to.deep.equal([says.status, says.json]);
    if (like !== undefined) {
      const none = await world.send(await like(cast));
      expect(comparable(reply), 'as for what is not there').to.equal(comparable(none));
    }
    await besides?.(cast, reply);
  }

  it('have a row for every route that is registered, and no other', async () => {
    expect(Object.keys(ROWS).sort()).to.deep.equal(await routeNames());
  });

  for (const [route, row] of Object.entries(ROWS)) {
    it(`C3 ${route}`, async () => {
      expect([...new Set(row.map(({ place }) => place))].sort()).to.deep.equal([...PLACES].sort());
      for (const question of row) {
        await ask(question).catch((error: Error) => {
          error.message = `${question.place} (by ${question.by}): ${error.message}`;
          throw error;
        });
      }
    });
  }

  it('C3 no email goes to people of another organization than the one that was asked', async () => {
    const last = await world.person({ organization: 'default', verified: false, password: null });
    const path = '/api/verification/resend';
    await world.send({ method: 'POST', path, headers: { ...medisync.headers }, json: { email: last.email } });
    await world.server.mail.take(last.email ?? '');
    expect(cast.silent).to.have.length.above(4);
    expect(cast.silent.flatMap((address) => world.server.mail.waiting(address))).to.deep.equal([]);
  });
});
