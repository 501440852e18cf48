/** The servers that are measured, by name, and which of them a run starts. */
import path from 'node:path';
import { PASSWORD_CASES } from './cases.ts';
import { startArgon2 } from './peers/argon2.ts';
import { startBare } from './peers/bare.ts';
import { startHydra } from './peers/hydra.ts';
import { startKeycloak } from './peers/keycloak.ts';
import { startNode } from './peers/node.ts';
import { type PorticoOptions, startPortico } from './peers/portico.ts';
import type { Subject } from './subject.ts';

export const SERVERS: readonly string[] = ['bare', 'hydra', 'keycloak', 'portico', 'node', 'argon2'];

export interface Choice {
  readonly servers: readonly string[];
  readonly cases: readonly string[];
  readonly store: PorticoOptions['store'];
  readonly workers: readonly number[];
  readonly grants: readonly number[];
  readonly accounts: readonly number[];
  readonly against?: string | undefined;
}

export function starts(choice: Choice): (() => Promise<Subject>)[] {
  const portico = (name: string, root: string) =>
    variants(choice).map(
      ({ title, ...variant }) =>
        () =>
          startPortico({ ...variant, name: name + title, root, store: choice.store }),
    );
  const all: Readonly<Record<string, (() => Promise<Subject>)[]>> = {
    bare: [startBare],
    hydra: [startHydra],
    keycloak: [startKeycloak],
    portico: [
      ...portico('portico', path.join(import.meta.dirname, '..')),
      ...(choice.against === undefined ? [] : portico('portico before', path.resolve(choice.against))),
    ],
    node: [startNode],
    argon2: choice.cases.some((name) => PASSWORD_CASES.includes(name))
      ? [() => startArgon2(PASSWORD_CASES)]
      : [],
  };
  return choice.servers.flatMap((name) => all[name] ?? []);
}

/** Porticos that differ in processes, or in what lies in their stores. */
function variants({ workers, grants, accounts }: Choice) {
  const fillings = Array.from({ length: Math.max(grants.length, accounts.length) }, (_, index) => ({
    grants: grants[index] ?? 0,
    accounts: Math.max(1, accounts[index] ?? 0),
  }));
  return workers.flatMap((processes) => {
    const title = processes === 1 ? '' : ` ×${processes}`;
    if (fillings.length === 0) return [{ workers: processes, title }];
    return fillings.map((filling) => ({
      ...{ workers: processes, filling },
      title: `${title} ${filling.grants.toLocaleString('en')}/${filling.accounts.toLocaleString('en')}`,
    }));
  });
}
