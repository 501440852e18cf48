import { expect } from 'chai';
import type { OidcRecordRecord } from '../../../src/store/ports/oidc-records.ts';
import {
  type BackEnd,
  BETWEEN,
  CALLS,
  countOf,
  fresh,
  hostileNames,
  later,
  type OpenBackEnd,
  oidcRecordRecord,
  times,
} from './back-end.ts';
import { expectExpiryAt } from './expiry.ts';
import { type Racers, startRacers } from './racers.ts';

const HOUR = 3_600_000;

export function oidcRecordStoreSuite(open: OpenBackEnd): void {
  for (const durable of [false, true]) {
    describe(`OIDC records that live ${durable ? 'long' : 'an hour at most'}`, () => {
      let backEnd: BackEnd;
      let racers: Racers;
      const store = () => backEnd.stores.oidcRecords;
      before(async () => {
        backEnd = await open();
        racers = await startRacers(backEnd);
      });
      after(async () => {
        await racers.close();
        await backEnd.close();
      });

      // A back end may ask the kind where a record lies: these two stand for both places.
      const kind = durable ? 'RefreshToken' : 'AuthorizationCode';
      const record = (over: Partial<OidcRecordRecord> = {}) =>
        oidcRecordRecord({ durable, expiresAt: later(new Date(), HOUR), ...over });
      const stored = async (over: Partial<OidcRecordRecord> = {}, id = fresh('id')) => {
        const oidcRecord = record(over);
        await store().put(kind, id, oidcRecord);
        return { id, ...oidcRecord };
      };

      it('stores several in one call, of which none un-consumes the one that was there', async () => {
        const before = await stored();
        expect(await store().consume(kind, before.id, new Date())).to.equal(true);
        const grantId = fresh('g');
        const others = times(3, (at) => ({
          kind,
          id: fresh('id'),
          record: record({ grantId, payload: `${at}` }),
        }));
        const again = { kind, id: before.id, record: record({ grantId }) };
        await store().putAll([...others, again]);
        for (const { id, record: wanted } of others)
          expect(await store().byId(kind, id, new Date())).to.deep.equal({ id, ...wanted });
        expect(await store().byId(kind, before.id, new Date())).to.include.keys('consumedAt');
        expect(await store().removeByGrant(undefined, grantId)).to.equal(4);
      });

      it('stores one new record of a name that many put at once', async () => {
        const id = fresh('id');
        const calls = times(CALLS, () => [
          [
            { kind, id, record: record() },
            { kind, id: fresh('id'), record: record() },
          ],
        ]);
        await racers.race('oidcRecords.putAll', calls);
        expect(await store().remove(kind, id)).to.equal(true);
      });

      it('gives back every member as it was stored', async () => {
        const names = {
          grantId: fresh('g'),
          accountId: fresh('a'),
          clientId: fresh('c'),
          uid: fresh('u'),
          userCode: fresh('uc'),
        };
        const full = await stored({ ...names, payload: 'sealed "ä"\0\n' });
        expect(await store().byId(kind, full.id, new Date())).to.deep.equal(full);
        expect(await store().byUid(kind, names.uid, new Date())).to.deep.equal(full);
        expect(await store().byUserCode(kind, names.userCode, new Date())).to.deep.equal(full);
        const bare = oidcRecordRecord({ durable });
        await store().put(kind, `${full.id}-bare`, bare);
        expect(await store().byId(kind, `${full.id}-bare`, later(new Date(), 1000 * HOUR))).to.deep.equal({
          id: `${full.id}-bare`,
          ...bare,
        });
      });

      it('keeps kinds apart', async () => {
        const { id, uid = '' } = await stored({ uid: fresh('u') });
        expect(await store().byId('DeviceCode', id, new Date())).to.equal(undefined);
        expect(await store().byUid('DeviceCode', uid, new Date())).to.equal(undefined);
        expect(await store().consume('DeviceCode', id, new Date())).to.equal(false);
        expect(await store().remove('DeviceCode', id)).to.equal(false);
        expect(await store().byId(kind, id, new Date())).not.to.equal(undefined);
      });

      it('replaces a record with a second put, and the names it is found by', async () => {
        const first = await stored({ uid: fresh('u1'), grantId: fresh('g1'), accountId: fresh('a1') });
        const second = await stored({ uid: fresh('u2'), grantId: fresh('g2'), payload: 'second' }, first.id);
        expect(await store().byId(kind, first.id, new Date())).to.deep.equal(second);
        expect(await store().byUid(kind, first.uid ?? '', new Date())).to.equal(undefined);
        expect(await store().byUid(kind, second.uid ?? '', new Date())).to.deep.equal(second);
        expect(await store().listByGrant(kind, first.grantId ?? '', new Date())).to.deep.equal([]);
        expect(await store().listByAccount(kind, first.accountId ?? '', new Date())).to.deep.equal([]);
        expect(await store().removeByGrant(kind, first.grantId ?? '')).to.equal(0);
        expect(await store().byId(kind, first.id, new Date())).to.deep.equal(second);
      });

      it('X2 lets exactly one of 50 callers consume a record', async () => {
        const { id } = await stored({ grantId: fresh('g') });
        const answers = await racers.race(
          'oidcRecords.consume',
          times(CALLS, () => [kind, id, new Date()]),
        );
        expect(countOf(answers, true)).to.equal(1);
        expect(countOf(answers, false)).to.equal(CALLS - 1);
      });

      it('X2 stores no copy when 50 parallel saves meet a consume: it stays consumed', async () => {
        const { id } = await stored();
        expect(await store().consume(kind, id, new Date())).to.equal(true);
        await racers.race(
          'oidcRecords.put',
          times(CALLS, (index) => [kind, id, record({ payload: `late ${index}` })]),
        );
        expect((await store().byId(kind, id, new Date()))?.consumedAt).to.be.instanceOf(Date);
        expect(await store().consume(kind, id, new Date())).to.equal(false);
      });

      it('says when a record was consumed, and keeps its life and its names', async () => {
        const oidcRecord = await stored({ grantId: fresh('g'), uid: fresh('u') });
        const now = new Date();
        await store().consume(kind, oidcRecord.id, now);
        const consumed = { ...oidcRecord, consumedAt: now };
        const { expiresAt = now } = oidcRecord;
        expect(await store().byId(kind, oidcRecord.id, later(expiresAt, -1))).to.deep.equal(consumed);
        expect(await store().byId(kind, oidcRecord.id, expiresAt)).to.equal(undefined);
        expect(await store().byUid(kind, oidcRecord.uid ?? '', now)).to.deep.equal(consumed);
        expect(await store().removeByGrant(kind, oidcRecord.grantId ?? '')).to.equal(1);
      });

      it('consumes nothing that is not there', async () => {
        expect(await store().consume(kind, fresh('nothing'), new Date())).to.equal(false);
        const { id } = await stored();
        await store().remove(kind, id);
        expect(await store().consume(kind, id, new Date())).to.equal(false);
      });

      it('X3 judges expiry by the clock of the caller, on every way to a record', async () => {
        const {
          id,
          expiresAt = new Date(),
          ...names
        } = await stored({
          uid: fresh('u'),
          userCode: fresh('uc'),
          grantId: fresh('g'),
          accountId: fresh('a'),
        });
        await expectExpiryAt(expiresAt, async (now) => (await store().byId(kind, id, now)) !== undefined);
        await expectExpiryAt(
          expiresAt,
          async (now) => (await store().byUid(kind, names.uid ?? '', now)) !== undefined,
        );
        await expectExpiryAt(
          expiresAt,
          async (now) => (await store().byUserCode(kind, names.userCode ?? '', now)) !== undefined,
        );
        await expectExpiryAt(
          expiresAt,
          async (now) => (await store().listByGrant(kind, names.grantId ?? '', now)).length === 1,
        );
        await expectExpiryAt(
          expiresAt,
          async (now) => (await store().listByAccount(kind, names.accountId ?? '', now)).length === 1,
        );
        for (const offset of [0, 1000]) {
          expect(await store().consume(kind, id, later(expiresAt, offset))).to.equal(false);
        }
        expect(await store().consume(kind, id, later(expiresAt, -1))).to.equal(true);
      });

      it('removes a record for exactly one caller', async () => {
        const { id, uid = '' } = await stored({ uid: fresh('u') });
        const answers = await racers.race(
          'oidcRecords.remove',
          times(CALLS, () => [kind, id]),
        );
        expect(countOf(answers, true)).to.equal(1);
        expect(await store().byId(kind, id, new Date())).to.equal(undefined);
        expect(await store().byUid(kind, uid, new Date())).to.equal(undefined);
      });

      it('removes everything of a grant, of one kind or of all, and nothing of another grant', async () => {
        const grantId = fresh('grant');
        const ids = times(3, () => fresh('id'));
        for (const id of ids) await store().put(kind, id, record({ grantId }));
        await store().put('AccessToken', `${ids[0]}-at`, record({ grantId }));
        const other = await stored({ grantId: fresh('other') });
        expect(await store().listByGrant(kind, grantId, new Date())).to.have.length(3);
        expect(await store().removeByGrant('AccessToken', grantId)).to.equal(1);
        expect(await store().byId('AccessToken', `${ids[0]}-at`, new Date())).to.equal(undefined);
        expect(await store().listByGrant(kind, grantId, new Date())).to.have.length(3);
        await store().put('AccessToken', `${ids[0]}-at`, record({ grantId }));
        expect(await store().removeByGrant(undefined, grantId)).to.equal(4);
        for (const id of ids) expect(await store().byId(kind, id, new Date())).to.equal(undefined);
        expect(await store().byId('AccessToken', `${ids[0]}-at`, new Date())).to.equal(undefined);
        expect(await store().byId(kind, other.id, new Date())).to.deep.equal(other);
        expect(await store().removeByGrant(undefined, grantId)).to.equal(0);
      });

      it('lists the grants of a client, at most as many as asked for, until their end', async () => {
        const clientId = fresh('client');
        const expiresAt = later(new Date(), 60_000);
        const grants = times(3, () => fresh('grant'));
        for (const id of grants) {
          await store().put('Grant', id, record({ clientId, expiresAt, durable: true }));
        }
        await store().put('RefreshToken', fresh('rt'), record({ clientId, durable: true }));
        await store().put('Grant', fresh('grant'), record({ clientId: fresh('other'), durable: true }));
        const list = (limit: number, now = new Date()) => store().listGrantsOfClient(clientId, limit, now);
        expect((await list(10)).map(({ id }) => id)).to.have.members(grants);
        expect(await list(2)).to.have.length(2);
        expect(await list(10, expiresAt)).to.deep.equal([]);
        await store().remove('Grant', grants[0] ?? '');
        expect(await list(10)).to.have.length(2);
      });

      it('lists the records of an account and of a grant, newest first', async () => {
        const names = { accountId: fresh('account'), grantId: fresh('grant') };
        const start = new Date();
        const put = (index: number) => stored({ ...names, createdAt: later(start, index) });
        const [first, second, third] = [await put(1), await put(2), await put(3)];
        await stored({ accountId: fresh('other'), grantId: fresh('other') });
        expect(await store().listByAccount(kind, names.accountId, new Date())).to.deep.equal([
          third,
          second,
          first,
        ]);
        expect(await store().listByGrant(kind, names.grantId, new Date())).to.deep.equal([
          third,
          second,
          first,
        ]);
        await store().remove(kind, second.id);
        expect(await store().listByAccount(kind, names.accountId, new Date())).to.deep.equal([third, first]);
        expect(await store().listByAccount('Grant', names.accountId, new Date())).to.deep.equal([]);
      });

      it('finds a session by its uid after its id was changed', async () => {
        const uid = fresh('uid');
        const old = await stored({ uid });
        const next = await stored({ uid, createdAt: later(old.createdAt, 1) });
        await store().remove(kind, old.id);
        expect((await store().byUid(kind, uid, new Date()))?.id).to.equal(next.id);
      });

      it('KEY1 shows every payload, batch by batch, also of records that come and go meanwhile', async () => {
        const there = await Promise.all(times(30, () => stored({ payload: fresh('payload') })));
        expect(await store().countPayloads()).to.be.at.least(30);
        const seen = new Map<string, string>();
        for (let after: string | undefined, more = true; more; more = after !== undefined) {
          const { payloads, next } = await store().payloads({ after, limit: 7 });
          for (const one of payloads) if (one.kind === kind) seen.set(one.id, one.payload);
          await store().remove(kind, (await stored()).id);
          after = next;
        }
        for (const { id, payload } of there) expect(seen.get(id)).to.equal(payload);
      });

      it('KEY1 gives a record another payload only where it has the one that was seen, and changes nothing else', async () => {
        const names = { uid: fresh('u'), userCode: fresh('c'), grantId: fresh('g'), accountId: fresh('a') };
        const used = await stored({ ...names, payload: 'before' });
        await store().consume(kind, used.id, new Date());
        const changed = await stored({ payload: 'saved meanwhile' });
        const gone = await stored({ payload: 'before' });
        await store().remove(kind, gone.id);
        const consumed = await store().byId(kind, used.id, new Date());
        await store().replacePayloads(
          [used, changed, gone].map(({ id }) => ({ kind, id, before: 'before', payload: 'after' })),
        );
        const now = new Date();
        expect(await store().byId(kind, used.id, now)).to.deep.equal({ ...consumed, payload: 'after' });
        expect((await store().byUid(kind, names.uid, now))?.payload).to.equal('after');
        expect((await store().listByGrant(kind, names.grantId, now))[0]?.payload).to.equal('after');
        expect((await store().byId(kind, changed.id, now))?.payload).to.equal('saved meanwhile');
        expect(await store().byId(kind, gone.id, now)).to.equal(undefined);
        await store().replacePayloads([]);
      });

      it('X5 keeps records apart whose ids, uids, grants and accounts are hostile', async () => {
        const names = hostileNames();
        for (const name of names) {
          await stored({ uid: name, userCode: name, grantId: name, accountId: name }, name);
        }
        for (const name of names) {
          const now = new Date();
          expect((await store().byId(kind, name, now))?.uid === name, 'by id').to.equal(true);
          expect((await store().byUid(kind, name, now))?.id === name, 'by uid').to.equal(true);
          expect((await store().byUserCode(kind, name, now))?.id === name, 'by user code').to.equal(true);
          expect(await store().listByGrant(kind, name, now)).to.have.length(1);
          expect(await store().listByAccount(kind, name, now)).to.have.length(1);
        }
        for (const name of names) expect(await store().removeByGrant(undefined, name)).to.equal(1);
        const tail = fresh('tail');
        for (const between of BETWEEN) {
          const glued = `b${between}${tail}`;
          await stored({ uid: glued }, glued);
          const other = `${kind}${between}b`;
          expect(await store().byId(other, tail, new Date()), between).to.equal(undefined);
          expect(await store().byUid(other, tail, new Date()), between).to.equal(undefined);
          expect(await store().consume(other, tail, new Date()), between).to.equal(false);
        }
      });
    });
  }
}
