import { accountStoreSuite } from './accounts.ts';
import { apiKeyStoreSuite } from './api-keys.ts';
import { artifactStoreSuite } from './artifacts.ts';
import { attemptStoreSuite } from './attempts.ts';
import { auditStoreSuite } from './audit.ts';
import type { OpenBackEnd } from './back-end.ts';
import { claimStoreSuite } from './claims.ts';
import { clientStoreSuite } from './clients.ts';
import { codeStoreSuite } from './codes.ts';
import { copyingSuite } from './copying.ts';
import { durabilitySuite } from './durability.ts';
import { factStoreSuite } from './facts.ts';
import { identityStoreSuite } from './identities.ts';
import { keyringStoreSuite } from './keyring.ts';
import { organizationStoreSuite } from './organizations.ts';
import { presenceStoreSuite } from './presence.ts';
import { ticketStoreSuite } from './tickets.ts';

/** Every suite, on one back end. */
export function storeSuites(open: OpenBackEnd): void {
  for (const suite of [
    accountStoreSuite,
    identityStoreSuite,
    organizationStoreSuite,
    clientStoreSuite,
    apiKeyStoreSuite,
    artifactStoreSuite,
    keyringStoreSuite,
    attemptStoreSuite,
    codeStoreSuite,
    ticketStoreSuite,
    claimStoreSuite,
    presenceStoreSuite,
    auditStoreSuite,
    factStoreSuite,
    copyingSuite,
    durabilitySuite,
  ]) {
    suite(open);
  }
}
