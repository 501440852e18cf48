import { accountStoreSuite } from './accounts.ts';
import { apiKeyStoreSuite } from './api-keys.ts';
import { apiStoreSuite } from './apis.ts';
import { auditStoreSuite } from './audit.ts';
import type { OpenBackEnd } from './back-end.ts';
import { clientStoreSuite } from './clients.ts';
import { codeStoreSuite } from './codes.ts';
import { copyingSuite } from './copying.ts';
import { deliveryStoreSuite } from './deliveries.ts';
import { durabilitySuite } from './durability.ts';
import { identityStoreSuite } from './identities.ts';
import { keyringStoreSuite } from './keyring.ts';
import { leaseStoreSuite } from './leases.ts';
import { linkTokenStoreSuite } from './link-tokens.ts';
import { metadataStoreSuite } from './metadata.ts';
import { oidcRecordStoreSuite } from './oidc-records.ts';
import { organizationStoreSuite } from './organizations.ts';
import { presenceStoreSuite } from './presence.ts';
import { rateLimitStoreSuite } from './rate-limits.ts';
import { usageStoreSuite } from './usage.ts';

/** Every suite, on one back end. */
export function storeSuites(open: OpenBackEnd): void {
  for (const suite of [
    accountStoreSuite,
    identityStoreSuite,
    organizationStoreSuite,
    clientStoreSuite,
    apiStoreSuite,
    apiKeyStoreSuite,
    oidcRecordStoreSuite,
    keyringStoreSuite,
    rateLimitStoreSuite,
    codeStoreSuite,
    linkTokenStoreSuite,
    leaseStoreSuite,
    presenceStoreSuite,
    deliveryStoreSuite,
    auditStoreSuite,
    metadataStoreSuite,
    usageStoreSuite,
    copyingSuite,
    durabilitySuite,
  ]) {
    suite(open);
  }
}
