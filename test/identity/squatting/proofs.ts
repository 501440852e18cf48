/** Nine ways in which the owner of an address proves it. */
import { expect } from 'chai';
import { freshBrowser } from '../../browser/sign-in-methods/sign-in-server.ts';
import { gmail, signInWithGoogle } from '../../dialects/avycenna/google.ts';
import { setInactive } from './ways-to-squat.ts';
import type { Squatted } from './world.ts';

export const OWNERS = 'Seven-Quiet-Otters-Swim-90';

const personOf = ({ email }: Squatted) => ({ sub: `owner-${email}`, email, email_verified: true });

export const PROOFS: Readonly<Record<string, (world: Squatted) => Promise<void>>> = {
  async 'a hosted code'({ channel, email }) {
    const visit = await (await channel.begin()).press('/code/send', { login: email });
    await visit.press('/code', { code: await visit.code(email) });
    expect(visit.at).to.be.a('string');
  },
  async 'a hosted reset'(world) {
    const { channel, email } = world;
    const browser = freshBrowser();
    const page = await browser.open(`${channel.server.url}/forgot?organization=default`);
    if (typeof page === 'string') throw new Error(page);
    await browser.submit(page, { login: email });
    const token = await world.nextEmail(/token=(rst_[\w-]+)/);
    const reset = await browser.open(`${channel.server.url}/reset?token=${token}`);
    if (typeof reset === 'string') throw new Error(reset);
    const done = await browser.submit(reset, { password: OWNERS });
    expect(typeof done === 'string' ? done : done.url).to.contain('/reset/done');
  },
  async Google(world) {
    const visit = await (await world.channel.begin()).with('google', personOf(world));
    expect(visit.at).to.be.a('string');
  },
  async Apple(world) {
    const visit = await (await world.channel.begin()).with('apple', personOf(world));
    expect(visit.at).to.be.a('string');
  },
  async "AVYCENNA's code"(world) {
    const { post, email } = world;
    await post('/api/v1/auth/otp/send', { email });
    const otp = await world.nextEmail(/\b(\d{6})\b/);
    expect((await post('/api/v1/auth/otp/verify', { email, otp })).status).to.equal(200);
  },
  async "AVYCENNA's Google"({ channel, email }) {
    const landing = await signInWithGoogle(channel.server, gmail(email.split('@')[0] ?? ''));
    expect(landing.location).not.to.contain('error');
  },
  async "CarePortals' reset"(world) {
    await world.post('/patient/auth/forgot', { email: world.email });
    const token = await world.nextEmail(/token=(rst_[\w-]+)/);
    expect((await world.post('/patient/auth/reset', { token, password: OWNERS })).status).to.equal(201);
  },
  async "MediSync's verification"(world) {
    await world.post('/api/verification/resend', { email: world.email });
    const token = await world.nextEmail(/token=(vt_[\w-]+)/);
    expect((await world.post('/api/verification/verify', { token })).status).to.equal(200);
  },
  async "VSee's activation"(world) {
    const { post, email } = world;
    await setInactive(world, 'inactive');
    await post('/api_v3/users/activate', { first_name: 'Own', last_name: 'Er', email });
    const code = await world.nextEmail(/Your code: ([a-z]{6})/);
    expect((await post('/api_v3/users/login', { email, email_token: code })).status).to.equal(200);
    await setInactive(world, 'active');
  },
};
