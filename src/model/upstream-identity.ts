/** A link between an account and an upstream identity. */
export interface IdentityRecord {
  readonly organization: string;
  readonly issuer: string;
  readonly subject: string;
  readonly accountId: string;
  readonly createdAt: Date;
}
