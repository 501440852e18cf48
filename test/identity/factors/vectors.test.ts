/**
 * The test vectors of W3C WebAuthn level 3, section 16: ES256 with no attestation (16.2), whose authenticator did not
 * verify its user, and with self attestation (16.3), whose authenticator did. Host example.org, https://example.org.
 */
import { expect } from 'chai';
import { judgeAssertion, judgeRegistration } from '../../../src/identity/factors/webauthn.ts';

const PARTY = { rpId: 'example.org', origin: 'https://example.org' };
const base64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');
/** The specification states clientDataJSON as bytes; the challenge is a member of it. */
const challengeIn = (hex: string): string => JSON.parse(Buffer.from(hex, 'hex').toString()).challenge;

const NONE = {
  id: 'f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4',
  attestationObject:
    'a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220',
  clientDataJSON:
    '7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c4535513d3d227d',
};

const SELF = {
  id: '455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c',
  attestationObject:
    'a363666d74667061636b65646761747453746d74a263616c67266373696758483046022100ae045923ded832b844cae4d5fc864277c0dc114ad713e271af0f0d371bd3ac540221009077a088ed51a673951ad3ba2673d5029bab65b64f4ea67b234321f86fcfac5d68617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab51697791506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2',
  clientDataJSON:
    '7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a2265476e4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c33417032392d55222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a205539685458764b453255526b4d6e625f3078594856673d3d227d',
};

const ASSERTION = {
  authenticatorData: 'bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000',
  clientDataJSON:
    '7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d',
  signature:
    '3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87',
};

function answer(id: string, response: Readonly<Record<string, string>>): string {
  const texts = Object.entries(response).map(([name, hex]) => [name, base64url(hex)]);
  const [credential, type] = [base64url(id), 'public-key'];
  return JSON.stringify({ id: credential, rawId: credential, type, response: Object.fromEntries(texts) });
}

describe('the test vectors of WebAuthn', () => {
  it('N3 the registration with self attestation is accepted, the one without user verification is not', async () => {
    const judge = ({ id, ...response }: typeof NONE) =>
      judgeRegistration({
        ...{ ...PARTY, challenge: challengeIn(response.clientDataJSON) },
        text: answer(id, response),
      });
    const verdict = await judge(SELF);
    expect('made' in verdict && verdict.made).to.deep.include({
      ...{ id: base64url(SELF.id), counter: 0, backupEligible: true, backedUp: true, transports: [] },
    });
    expect(await judge(NONE)).to.deep.equal({ refused: 'unverified' });
    const altered = SELF.attestationObject.replace('ae045923', 'ae045924');
    expect(await judge({ ...SELF, attestationObject: altered })).to.deep.equal({ refused: 'wrong' });
  });

  it('N1 the assertion verifies with the key of its registration, and with nothing of it changed', async () => {
    // CBOR of the COSE key: the end of the authenticator data.
    const publicKey = base64url(NONE.attestationObject.slice(-154));
    const judge = (changed: Partial<typeof ASSERTION> = {}) =>
      judgeAssertion({
        ...{ ...PARTY, challenge: challengeIn(ASSERTION.clientDataJSON) },
        text: answer(NONE.id, { ...ASSERTION, ...changed }),
        passkey: {
          ...{ id: base64url(NONE.id), publicKey, counter: 0, name: '', transports: [] },
          ...{ backupEligible: true, backedUp: true, createdAt: '2026-01-01T00:00:00.000Z' },
        },
      });
    expect(await judge()).to.deep.equal({
      assertion: { userVerified: false, counter: 0, backedUp: true },
    });
    for (const changed of [
      { signature: ASSERTION.signature.replace('f50a4e2e', 'f50a4e2f') },
      { authenticatorData: ASSERTION.authenticatorData.replace('b519', 'b51d') },
    ])
      expect(await judge(changed)).to.deep.equal({ refused: 'wrong' });
  });
});
