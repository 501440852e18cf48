/**
 * Vendors made up for one test: the example vendor with some of it replaced. `echo` answers what reached
 * the endpoint, so that a test can say what the frame made of a request.
 */
import { z } from 'zod';
import { example } from '../../src/dialects/_example/example.ts';
import { type ExampleSettings, settings } from '../../src/dialects/_example/settings.ts';
import type { BodyRules, Dialect, Mount } from '../../src/dialects/contract/dialect.ts';
import { type AnyAccepts, type Endpoint, endpointFor } from '../../src/dialects/contract/endpoint.ts';
import { ok } from '../../src/dialects/contract/reply.ts';

type AnyEndpoint = Endpoint<AnyAccepts, ExampleSettings>;

export const probeEndpoint = endpointFor<ExampleSettings>();

/** What an endpoint needs to say when the test is about something else. */
export const PLAIN = {
  method: 'POST',
  summary: 'A probe',
  caller: 'anyone',
  counts: 'nothing',
  replies: { 200: z.unknown() },
} as const;

/** Answers with the body and the query as they came through the checks. */
export const echo: AnyEndpoint = probeEndpoint({
  ...PLAIN,
  path: '/echo',
  accepts: { body: z.looseObject({}), query: z.looseObject({}) },
  async answer({ body, query, organization }) {
    return ok({ body, query, organization: organization.id });
  },
});

export interface Probe {
  readonly name: string;
  readonly endpoints?: readonly AnyEndpoint[];
  /** Default: `/<name>`, owned, 405 for other methods. */
  readonly mount?: Partial<Mount<ExampleSettings>>;
  readonly mounts?: readonly Mount<ExampleSettings>[];
  readonly bodies?: Partial<BodyRules>;
  /** Further members of the dialect. */
  readonly dialect?: Partial<Dialect<ExampleSettings>>;
}

export function probe({ name, endpoints = [echo], mount, mounts, bodies, dialect }: Probe): Dialect {
  const own: Mount<ExampleSettings> = {
    base: `/${name}`,
    endpoints,
    owns: true,
    otherMethods: 'method-not-allowed',
    head: true,
    ...mount,
  };
  return {
    ...example,
    name,
    title: `The probe ${name}`,
    settings,
    clientId: () => `${name}-legacy`,
    mounts: () => mounts ?? [own],
    bodies: { ...example.bodies, ...bodies },
    ...dialect,
  };
}
