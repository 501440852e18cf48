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

  it('N16 says of an upstream what its entry lacks, and that its name is taken; never a secret', async () => {
    const entry = { preset: 'keycloak', issuer: 'https://k.test/realms/a', clientSecret: 'Kept-Away' };
    const terminal = openTerminal({
      federation: {
        openid: { google: entry, clinic: entry, ward: { ...entry, preset: 'github', clientId: 'c' } },
      },
    });
    const { stderr } = await terminal.run(['config', 'check']);
    terminal.close();
    expect(stderr).to.contain('federation.openid.google (').and.not.to.contain('Kept-Away');
    expect(stderr).to.match(/google \([^)]*\): has a name that is taken by another way to sign in\n/);
    expect(stderr).to.match(/clinic\.clientId \([^)]*\): must be set \(or audiences\)\n/);
    expect(stderr).to.contain('ward.preset is "github" (').and.to.contain('entra or keycloak or okta');
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
