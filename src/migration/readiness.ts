/** Why a dialect cannot be in stage primary yet: what cannot be asked of its legacy system has to be known here. */

export interface Candidate {
  readonly dialect: string;
  readonly registration: 'hold' | 'proxy' | 'roster';
  /** The upstream, switched on here, to whose sign-in the vendor's server sends browsers. */
  readonly redirects: string | undefined;
  /** In which it would be in stage primary. */
  readonly organizations: readonly string[];
  /** Whether Portico knows each person of it whom the legacy system knows. */
  hasCompleteRoster(organization: string): Promise<boolean>;
}

/** Each with its key in the configuration. */
export async function whyNotPrimary(candidate: Candidate): Promise<string[]> {
  const { dialect, registration, redirects, organizations } = candidate;
  if (registration !== 'roster' && redirects === undefined) return [];
  const known = await Promise.all(organizations.map((id) => candidate.hasCompleteRoster(id)));
  const missing = organizations.filter((_, index) => !known[index]);
  if (missing.length === 0) return [];
  const path = `dialects.${dialect}.legacy`;
  const roster = `a complete roster of ${missing.join(', ')} (portico import FILE --roster --complete)`;
  return [
    ...(registration === 'roster'
      ? [`${path}.registration: must not be roster in stage primary without ${roster}`]
      : []),
    ...(redirects === undefined
      ? []
      : [
          `${path}.stage: must not be primary without ${roster}: the legacy system cannot be asked about people who sign in with ${redirects}`,
        ]),
  ];
}
