/** The two words by which people know a browser again. */
import { expect } from 'chai';
import { browserName } from '../../src/oidc/access/user-agent.ts';

const KIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const APPLE_KIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';

const AGENTS: readonly [string, string][] = [
  ['Firefox on Windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0'],
  ['Firefox on Linux', 'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0'],
  ['Firefox on Android', 'Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0'],
  [
    'Firefox on iPhone',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${APPLE_KIT} FxiOS/142.0 Mobile/15E148 Safari/605.1.15`,
  ],
  [
    'Chrome on macOS',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} Chrome/139.0.0.0 Safari/537.36`,
  ],
  ['Chrome on Linux', `Mozilla/5.0 (X11; Linux x86_64) ${KIT} HeadlessChrome/139.0.0.0 Safari/537.36`],
  ['Chrome on ChromeOS', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${KIT} Chrome/139.0.0.0 Safari/537.36`],
  ['Chrome on Android', `Mozilla/5.0 (Linux; Android 10; K) ${KIT} Chrome/139.0.0.0 Mobile Safari/537.36`],
  [
    'Chrome on iPad',
    `Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) ${APPLE_KIT} CriOS/139.0.7258.76 Mobile/15E148 Safari/604.1`,
  ],
  [
    'Edge on Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KIT} Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0`,
  ],
  [
    'Edge on Android',
    `Mozilla/5.0 (Linux; Android 10; K) ${KIT} Chrome/139.0.0.0 Mobile Safari/537.36 EdgA/139.0.0.0`,
  ],
  [
    'Opera on Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${KIT} Chrome/137.0.0.0 Safari/537.36 OPR/121.0.0.0`,
  ],
  [
    'Samsung Internet on Android',
    `Mozilla/5.0 (Linux; Android 10; K) ${KIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
  ],
  [
    'Safari on macOS',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE_KIT} Version/18.5 Safari/605.1.15`,
  ],
  [
    'Safari on iPhone',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${APPLE_KIT} Version/18.5 Mobile/15E148 Safari/604.1`,
  ],
];

describe('the name of a browser', () => {
  for (const [name, agent] of AGENTS) {
    it(name, () => {
      const { browser, system } = browserName(agent) ?? {};
      expect(`${browser} on ${system}`).to.equal(name);
    });
  }

  it('is what is known of it, or nothing', () => {
    expect(browserName('Something (Linux) Else/1.0')).to.deep.equal({ system: 'Linux' });
    expect(browserName('Firefox/1')).to.deep.equal({ browser: 'Firefox' });
    for (const agent of [undefined, '', 'curl/8.14.1', '<svg onload=alert(1)>', '\u0000'])
      expect(browserName(agent)).to.equal(undefined);
    // What is longer than any browser's is not read to its end.
    expect(browserName(`${'x'.repeat(1000)} Firefox/142.0`)).to.equal(undefined);
  });
});
