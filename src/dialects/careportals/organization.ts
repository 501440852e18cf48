/**
 * Which directory a request means, by the first that says something: the header, the host of the request or
 * of its Origin, what the request carries, the configuration. It chooses a directory and proves nothing.
 */
import { type OrganizationQuestion, type OrganizationView, Refused } from '../contract/dialect.ts';
import { type CarePortalsSettings, mayReach } from './settings.ts';
import { signInToOrganization, signInToOrganizationBare } from './sign-in.ts';

type Question = OrganizationQuestion<CarePortalsSettings>;

/** Only the header names the organization of an organization's users. */
const isForOrganizationUsers = ({ endpoint }: Question) =>
  endpoint === signInToOrganization || endpoint === signInToOrganizationBare;

const LINK_TOKEN_PATHS = ['/auth/forgot/validate', '/auth/valid-password-token', '/auth/reset'];

function reachable(organization: OrganizationView | undefined, settings: CarePortalsSettings) {
  return organization !== undefined && mayReach(organization.id, settings) ? organization.id : undefined;
}

function originHost(origin: string | undefined): string | undefined {
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).hostname : undefined;
}

/** An unknown header is refused and never rescued by a right host; an unknown host is passed over. */
async function named(question: Question): Promise<string | undefined> {
  const { request, directory, settings } = question;
  const header = request.header('organization')?.trim() ?? '';
  if (header !== '') {
    const known = reachable(await directory.byId(header), settings);
    if (known === undefined) throw new Refused('unknown-organization');
    return known;
  }
  if (isForOrganizationUsers(question)) return undefined;
  for (const host of [request.host, originHost(request.header('origin'))]) {
    const known = host ? reachable(await directory.byHost(host), settings) : undefined;
    if (known !== undefined) return known;
  }
  return undefined;
}

export async function organization(question: Question): Promise<string | undefined> {
  const { caller, endpoint, settings } = question;
  const byName = await named(question);
  if (caller !== undefined) {
    if (!mayReach(caller.organization, settings)) throw new Refused('invalid-token');
    if (byName !== undefined && byName !== caller.organization) throw new Refused('wrong-organization');
    return caller.organization;
  }
  if (byName !== undefined) return byName;
  if (LINK_TOKEN_PATHS.includes(endpoint.path)) return undefined;
  const lastResort = isForOrganizationUsers(question) ? undefined : settings.organization;
  if (lastResort === undefined) throw new Refused('unknown-organization');
  return lastResort;
}
