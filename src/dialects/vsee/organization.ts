/**
 * Which organization a request means (section 2). The account code is the organization's id. A token or a
 * key decides for itself; a code that contradicts it makes it worthless.
 */
import {
  type Directory,
  type Guard,
  type OrganizationQuestion,
  type OrganizationView,
  Refused,
} from '../contract/dialect.ts';
import type { Endpoint, RequestView } from '../contract/endpoint.ts';
import type { VSeeSettings } from './settings.ts';

interface Place {
  readonly directory: Directory;
  readonly settings: VSeeSettings;
}

/** GET /auth is the one GET without a caller. */
export function isForBrowsers(endpoint: Endpoint | undefined): boolean {
  return endpoint?.method === 'GET' && endpoint.caller === 'anyone';
}

/** Absent and blank are the same. */
function accountCode(request: RequestView): string | undefined {
  return request.header('x-accountcode')?.trim() || undefined;
}

async function known(code: string, { directory, settings }: Place): Promise<OrganizationView | undefined> {
  const organization = await directory.byId(code);
  const speaksVSee = organization?.vendor !== undefined || organization?.id === settings.organization;
  return speaksVSee ? organization : undefined;
}

/** A code that is not known is refused before anything else is looked at. */
export const accountCodeGuard: Guard<VSeeSettings> = async (context) => {
  const code = isForBrowsers(context.endpoint) ? undefined : accountCode(context.request);
  if (code !== undefined && (await known(code, context)) === undefined) {
    throw new Refused('unknown-organization');
  }
};

/** Endpoints whose own token decides, in their body or query; `within` where a given code must fit it. */
const BY_THEIR_TOKEN: Readonly<Record<string, 'anywhere' | 'within'>> = {
  '/tokens/refresh': 'within',
  '/users/logout': 'anywhere',
};

export async function organizationOf(
  question: OrganizationQuestion<VSeeSettings>,
): Promise<string | undefined> {
  const { request, endpoint, settings, caller } = question;
  if (isForBrowsers(endpoint)) return undefined;
  const code = accountCode(request);
  if (caller !== undefined) {
    if (code !== undefined && code !== caller.organization) throw new Refused('wrong-organization');
    return caller.organization;
  }
  const freedom = BY_THEIR_TOKEN[endpoint.path];
  if (freedom !== undefined) return freedom === 'within' ? code : undefined;
  return code ?? (await byHost(request.host, question)) ?? settings.organization;
}

/** `api-clinicdev.vsee.me` names the account `clinicdev`. */
async function byHost(host: string, place: Place): Promise<string | undefined> {
  const code = /^api-([^.]+)(?:\.|$)/.exec(host)?.[1];
  return code === undefined ? undefined : (await known(code, place))?.id;
}
