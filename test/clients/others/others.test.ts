/** Clients that are no npm packages, against a real server: the same check for each, through the pages. */
import { expect } from 'chai';
import { INES, rehome, type Served, serve } from '../../support/client-app.ts';
import { webApp } from '../../support/clients.ts';
import { asksForPassword, walk, walkOut } from '../../support/relying-party.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { openWebSession } from '../../support/web-session.ts';
import { isPrepared, PROGRAMS, type RunningProgram, startProgram } from './programs.ts';

for (const program of PROGRAMS) {
  describe(program.name, () => {
    let server: TestServer;
    let upstream: Served;
    let app: RunningProgram;

    before(async function () {
      if (!isPrepared(program)) this.skip();
      this.timeout(180_000);
      server = await startTestServer();
      upstream = await serve((request, response) => {
        const { name = '', email = '', roles = '' } = program.header ?? {};
        const told = {
          ...(name && { name: request.headers[name] }),
          ...{ email: request.headers[email], roles: [request.headers[roles]] },
        };
        response.end(JSON.stringify(told));
      });
      app = await startProgram(program, () => ({
        ...settings('', server.issuer),
        ...settings('OAUTH2_PROXY_', server.issuer),
        ...{ UPSTREAM: upstream.url, OAUTH2_PROXY_UPSTREAMS: upstream.url },
        ...{ MODULES: '/usr/lib/apache2/modules', OAUTH2_PROXY_OIDC_ISSUER_URL: server.issuer },
      }));
      await rehome(server, webApp, app.url, { redirect_uris: [app.url + (program.callback ?? '/callback')] });
    });
    after(async () => {
      app?.stop();
      await upstream?.close();
      await server?.close();
    });

    it('signs in, knows who is signed in, and signs out', async () => {
      const session = openWebSession();
      const me = `${app.url}/me`;
      await walk(session, me, me, INES);
      const person = await (await session.request(me)).json();
      const name = program.header && !program.header.name ? {} : { name: INES.name };
      expect(person).to.deep.equal({ ...name, email: INES.login, roles: INES.roles });
      const { issuer } = server;
      await walkOut(session, app.url + program.logout({ url: app.url, issuer }), `${app.url}/signed-out`);
      const again = await session.open(me, [me]);
      expect(typeof again !== 'string' && asksForPassword(again)).to.equal(true);
    });
  });
}

function settings(prefix: string, issuer: string): Record<string, string> {
  const { clientId, secret = '' } = webApp;
  return {
    [`${prefix}ISSUER`]: issuer,
    [`${prefix}CLIENT_ID`]: clientId,
    [`${prefix}CLIENT_SECRET`]: secret,
  };
}
