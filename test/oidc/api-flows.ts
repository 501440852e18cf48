/** The ways to an API's token: code, refresh, client credentials, device. */
import { authorizePath, Browser, basic, post, type Reply, redeem, refresh, type World } from './support.ts';

export const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
export const ALL_GRANTS = ['authorization_code', 'refresh_token', 'client_credentials', DEVICE];

export type Parameters = Readonly<Record<string, string>>;

/** What a flow ended with: the reply of the token endpoint, or the error that came before it. */
export interface Outcome {
  /** Whether a person signed in on the way. */
  readonly signedIn: boolean;
  readonly reply: Pick<Reply, 'status' | 'body'>;
}

/** Who walks, in which browser; and what the token endpoint is told besides. */
interface Walk {
  readonly person?: string;
  readonly browser?: Browser;
  readonly form?: Record<string, string>;
}

export const secretOf = (clientId: string) => basic(clientId, `${clientId}-secret`);

export async function byCode(
  world: World,
  clientId: string,
  request: Parameters,
  { person = 'nora', browser = new Browser(world, person), form = {} }: Walk = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const page = await browser.open(authorizePath({ client_id: clientId, ...request }));
  const code = page.url.searchParams.get('code');
  if (code === null) {
    const error = page.url.searchParams.get('error') ?? page.text;
    const first = await new Browser(world).send(authorizePath({ client_id: clientId, ...request }));
    const signedIn = String(first.headers.get('location')).includes('/interaction/');
    return { signedIn, reply: { status: 400, body: { error } } };
  }
  return { signedIn: true, reply: await redeem(world, code, form, { ...secretOf(clientId), ...headers }) };
}

export async function byRefresh(
  world: World,
  clientId: string,
  tokens: Record<string, unknown>,
  form: Record<string, string> = {},
): Promise<Outcome> {
  const reply = await refresh(world, String(tokens.refresh_token), form, secretOf(clientId));
  return { signedIn: true, reply };
}

export async function onItsOwn(world: World, clientId: string, form: Parameters): Promise<Outcome> {
  const all = { grant_type: 'client_credentials', ...form };
  return { signedIn: false, reply: await post(world, '/token', all, secretOf(clientId)) };
}

export async function byDevice(
  world: World,
  clientId: string,
  request: Parameters,
  { person = 'nora', browser = new Browser(world, person), form = {} }: Walk = {},
): Promise<Outcome> {
  const headers = secretOf(clientId);
  const started = await post(world, '/device_authorization', { ...request, client_id: clientId }, headers);
  if (started.status !== 200) return { signedIn: false, reply: started };
  const page = await browser.open('/device');
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const body = new URLSearchParams({ xsrf, user_code: String(started.body.user_code), confirm: 'yes' });
  await browser.open('/device', { method: 'POST', body });
  const all = { grant_type: DEVICE, device_code: String(started.body.device_code), ...form };
  return { signedIn: true, reply: await post(world, '/token', all, headers) };
}
