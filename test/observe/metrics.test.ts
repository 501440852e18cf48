import { expect } from 'chai';
import { createMetrics } from '../../src/observe/metrics.ts';

describe('The metrics', () => {
  it('count requests, sign-ins and emails, and read figures when they are asked for', async () => {
    const metrics = createMetrics({ ofProcess: false });
    let waiting = 1;
    metrics.request({ method: 'POST', route: '/token', status: 200, seconds: 0.004 });
    metrics.signIn({ channel: 'vsee', outcome: 'refused' });
    metrics.email('sent');
    metrics.registration('refused');
    metrics.observe('portico_waiting', 'How many wait.', () => waiting);
    waiting = 7;
    const { contentType, body } = await metrics.expose();
    expect(contentType).to.match(/^text\/plain/);
    expect(body).to.contain(
      'portico_http_request_seconds_count{method="POST",route="/token",status="200"} 1',
    );
    expect(body).to.contain('portico_sign_ins_total{channel="vsee",outcome="refused"} 1');
    expect(body).to.contain('portico_emails_total{outcome="sent"} 1');
    expect(body).to.contain('portico_client_registrations_total{outcome="refused"} 1');
    expect(body).to.contain('portico_waiting 7');
  });

  it('of two servers in one process are apart', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.email('sent');
    expect((await one.expose()).body).to.contain('portico_emails_total{outcome="sent"} 1');
    expect((await other.expose()).body).not.to.contain('outcome="sent"');
  });
});
