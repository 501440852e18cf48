import { expect } from 'chai';
import { createMetrics } from '../../src/observe/metrics.ts';

describe('The metrics', () => {
  it('count requests, sign-ins and letters, and read figures when they are asked for', async () => {
    const metrics = createMetrics({ ofProcess: false });
    let waiting = 1;
    metrics.request({ method: 'POST', route: '/token', status: 200, seconds: 0.004 });
    metrics.signIn({ door: 'vsee', outcome: 'refused' });
    metrics.letter('sent');
    metrics.observe('portico_waiting', 'How many wait.', () => waiting);
    waiting = 7;
    const { contentType, body } = await metrics.expose();
    expect(contentType).to.match(/^text\/plain/);
    expect(body).to.contain(
      'portico_http_request_seconds_count{method="POST",route="/token",status="200"} 1',
    );
    expect(body).to.contain('portico_sign_ins_total{door="vsee",outcome="refused"} 1');
    expect(body).to.contain('portico_letters_total{outcome="sent"} 1');
    expect(body).to.contain('portico_waiting 7');
  });

  it('of two servers in one process are apart', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.letter('sent');
    expect((await one.expose()).body).to.contain('portico_letters_total{outcome="sent"} 1');
    expect((await other.expose()).body).not.to.contain('outcome="sent"');
  });
});
