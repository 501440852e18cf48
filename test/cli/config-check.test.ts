import { expect } from 'chai';
import { openTerminal } from './run-portico.ts';

describe('portico config check', () => {
  it('lists every issue of a broken configuration and exits with 1', async () => {
    const terminal = openTerminal({
      issuer: 'https://id.example/x',
      http: { prot: 1 },
      keys: { encryption: 'Kept-Away' },
    });
    const env = { PORTICO_LOG__LEVEL: 'loud' };
    const { code, stdout, stderr } = await terminal.run(['config', 'check'], { env });
    const asJson = await terminal.run(['config', 'check', '--json'], { env });
    terminal.close();
    expect(code).to.equal(1);
    expect(stdout).to.equal('');
    expect(stderr).to.contain('The configuration has 4 issues:');
    for (const key of ['issuer', 'http.prot', 'keys.encryption', 'log.level'])
      expect(stderr).to.contain(`  ${key} `);
    expect(stderr).not.to.contain('Kept-Away').and.not.to.contain('    at ');
    expect(asJson.code).to.equal(1);
    expect(asJson.json().issues).to.have.lengthOf(4);
  });

  it('shows what is in force, without secrets', async () => {
    const terminal = openTerminal({
      federation: { google: { enabled: true, clientId: 'web', clientSecret: 'Kept-Away-1' } },
      store: { kind: 'distributed', mongo: { url: 'mongodb://user:Kept-Away-2@db:27017' } },
      dialects: {
        medisync: { enabled: true, accessToken: { signing: 'HS256', secret: 'Kept-Away-3'.repeat(4) } },
      },
    });
    const { code, stdout, json } = await terminal.run(['config', 'check', '--show']);
    terminal.close();
    expect(code).to.equal(0);
    expect(stdout).not.to.contain('Kept-Away');
    expect(json()).to.deep.include({ environment: 'development', issuer: 'http://localhost:4999' });
    expect(JSON.stringify(json().store)).to.contain('mongodb://(hidden)@db:27017');
  });

  it('says what production still needs', async () => {
    const terminal = openTerminal();
    const { code, stderr } = await terminal.run(['config', 'check'], { env: { NODE_ENV: 'production' } });
    terminal.close();
    expect(code).to.equal(1);
    expect(stderr).to.contain('keys.encryption: must be set in production').and.to.contain('mail.from');
  });
});
