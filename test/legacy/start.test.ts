/** What the store says against the configuration of a legacy system: the server does not start, and says all of it. */
import { expect } from 'chai';
import { declareComplete } from '../../src/identity/legacy/complete-rosters.ts';
import { openTerminal } from '../cli/run-portico.ts';
import { startTestServer } from '../support/server.ts';

const URL = 'https://legacy.example';
const ROSTER = 'a complete roster of default (portico import FILE --roster --complete)';

describe('A server with legacy systems', () => {
  it('does not start in stage primary without the rosters that it needs, nor for organizations that are not there', async () => {
    const legacy = { url: URL, stage: 'primary' };
    const dialects = {
      visitnote: { legacy: { ...legacy, registration: 'roster' } },
      vsee: { legacy: { ...legacy, organizations: ['clinicdev', 'nowhere'] } },
      avycenna: { legacy },
      medisync: { legacy: { ...legacy, stage: 'proxy', registration: 'roster' } },
    };
    const failure = await startTestServer({ config: { dialects } }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure?.split('\n  ').slice(1)).to.have.members([
      `dialects.visitnote.legacy.registration: must not be roster in stage primary without ${ROSTER}`,
      'dialects.vsee.legacy.organizations: there is no organization nowhere',
      `dialects.avycenna.legacy.stage: must not be primary without ${ROSTER}: the legacy system cannot be asked about people who sign in with google`,
    ]);
  });

  it('starts with them', async () => {
    const first = await startTestServer();
    const { metadata } = first.running.stores;
    for (const dialect of ['visitnote', 'avycenna']) {
      await declareComplete(metadata, { organization: 'default', dialect, file: 'f', at: new Date() });
    }
    await first.close({ keepStore: true });
    const legacy = { url: URL, stage: 'primary', registration: 'roster' };
    const second = await startTestServer({
      folder: first.folder,
      config: { dialects: { visitnote: { legacy }, avycenna: { legacy } } },
    });
    await second.close();
  });

  it('is not brought into that stage by a command either', async function () {
    this.timeout(60_000);
    const legacy = { url: URL, stage: 'proxy', registration: 'roster' };
    const terminal = openTerminal({ dialects: { visitnote: { enabled: true, legacy } } });
    const made = await terminal.session(['organization', 'create', 'default']);
    expect(made.code, made.stderr).to.equal(0);
    const ran = await terminal.session(['migration', 'stage', 'visitnote', 'primary']);
    expect([ran.code, ran.stderr]).to.deep.equal([
      1,
      `dialects.visitnote.legacy.registration: must not be roster in stage primary without ${ROSTER}\nNothing was changed.\n`,
    ]);
    terminal.close();
  });
});
