/** How much of Portico one request crosses: a reader who follows it has no more files to open than this. */
import { expect } from 'chai';
import { crossings } from '../../bench/crossings.ts';

/**
 * Files of src/ that run, and calls to a store. A change that needs more says why it is worth it. Two files of
 * src/usage count who calls what, and the metrics; two of identity/hashes tell whose hash it is; three tell whether a
 * second factor is lacking (the dialect's rule, the question, and the policy as it was read a moment ago);
 * the embedded store's connection, its statements, its flushes and its watch are four; two keep answers, those to GET
 * me and those of any kind; and the request log says which route it was. "Again" is the same client with the same token,
 * a moment later.
 */
const AT_MOST = {
  'vendor sign-in': { files: 67, storeCalls: 9 },
  'GET me': { files: 52, storeCalls: 3 },
  'GET me again': { files: 19, storeCalls: 0 },
} as const;

describe('a request', () => {
  it('crosses no more files of src/ and calls no more of the store than it has to', async function () {
    this.timeout(60_000);
    const counted = await crossings();
    expect(counted.map(({ name }) => name)).to.have.members(Object.keys(AT_MOST));
    for (const { name, files, storeCalls } of counted) {
      const most = AT_MOST[name as keyof typeof AT_MOST];
      expect(files.length, `${name}:\n${files.join('\n')}`).to.be.within(1, most.files);
      expect(storeCalls.length, `${name}: ${storeCalls.join(', ')}`).to.be.within(0, most.storeCalls);
    }
  });
});
