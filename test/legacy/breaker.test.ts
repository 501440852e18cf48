/** How much a legacy system is asked (M6, M7), with a clock that the tests move. */
import { expect } from 'chai';
import { type BreakerOptions, createBreaker, type Outcome } from '../../src/legacy/breaker.ts';

function breaker(options: Partial<BreakerOptions> = {}) {
  let now = Date.parse('2031-05-01T10:00:00Z');
  const changes: boolean[] = [];
  const made = createBreaker({
    clock: { now: () => new Date(now) },
    ...{ concurrency: 100, rate: { limit: 1000, milliseconds: 1000 } },
    changed: (open) => void changes.push(open),
    ...options,
  });
  const admit = () => {
    const admitted = made.admit();
    return 'away' in admitted ? admitted.away : admitted;
  };
  const call = (outcome: Outcome) => {
    const admitted = admit();
    if (typeof admitted === 'string') return admitted;
    admitted.done(outcome);
    return 'made';
  };
  const calls = (...outcomes: Outcome[]) => outcomes.map(call);
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { ...made, admit, call, calls, changes, pass };
}

const times = <Item>(count: number, item: Item) => Array.from({ length: count }, () => item);
const OPEN = 'the breaker is open';

describe('The breaker before a legacy system', () => {
  it('opens after five odd answers in a row, and makes one try every five seconds until one goes well', () => {
    const it = breaker();
    expect(it.calls(...times<Outcome>(4, 'odd'), 'good', ...times<Outcome>(4, 'odd'))).to.not.include(OPEN);
    expect(it.outage()).to.equal(undefined);
    expect(it.calls('odd', 'good', 'good')).to.deep.equal(['made', OPEN, OPEN]);
    expect(it.outage()).to.equal(5);
    it.pass(4999);
    expect(it.call('good')).to.equal(OPEN);
    it.pass(1);
    expect(it.calls('odd', 'good')).to.deep.equal(['made', OPEN]);
    it.pass(5000);
    const probe = it.admit();
    expect(it.call('good'), 'one try alone').to.equal(OPEN);
    if (typeof probe !== 'string') probe.done('good');
    expect(it.calls('good', 'odd', 'odd', 'odd', 'odd')).to.not.include(OPEN);
    expect(it.changes).to.deep.equal([true, false]);
  });

  it('opens when half of the last twenty were odd', () => {
    const it = breaker();
    const pairs = times<Outcome[]>(9, ['odd', 'good']).flat();
    expect(it.calls('good', ...pairs)).to.not.include(OPEN);
    expect(it.calls('odd', 'good')).to.deep.equal(['made', OPEN]);
  });

  it('takes a system that has no time for one that is there', () => {
    const it = breaker();
    const outcomes = times<Outcome[]>(10, ['later', 'later', 'later', 'odd', 'good', 'good']).flat();
    expect(it.calls(...outcomes)).to.not.include(OPEN);
    expect(it.calls(...times<Outcome>(40, 'later'))).to.not.include(OPEN);
  });

  it('makes no more calls at once than are allowed, and none is counted twice when it ends', () => {
    const it = breaker({ concurrency: 2 });
    const [first, second] = [it.admit(), it.admit()];
    expect([first, second].map((one) => typeof one)).to.deep.equal(['object', 'object']);
    expect(it.admit()).to.equal('as many calls as are allowed at once');
    if (typeof first === 'string') throw new Error(first);
    first.done('good');
    first.done('good');
    expect(typeof it.admit()).to.equal('object');
    expect(it.admit()).to.equal('as many calls as are allowed at once');
  });

  it('makes no more calls in any stretch of time than are allowed, but for what passes through', () => {
    const it = breaker({ rate: { limit: 3, milliseconds: 1000 } });
    expect(it.calls('good', 'good')).to.not.include('as many');
    it.pass(600);
    expect(it.calls('good', 'good')).to.deep.equal(['made', 'as many calls as are allowed in this time']);
    it.pass(399);
    expect(it.call('good')).not.to.equal('made');
    it.pass(1);
    expect(it.calls('good', 'good', 'good')).to.deep.equal([
      ...['made', 'made'],
      'as many calls as are allowed in this time',
    ]);
    expect('done' in createBreakerWithout().admit({ limited: false })).to.equal(true);
  });
});

/** One that allows nothing. */
function createBreakerWithout() {
  const rate = { limit: 0, milliseconds: 1000 };
  return createBreaker({ clock: { now: () => new Date() }, concurrency: 0, rate, changed: () => undefined });
}
