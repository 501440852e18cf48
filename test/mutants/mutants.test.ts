/** What `npm test` asks of the mutants: that each still fits, so that `npm run test:mutants` can judge it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { type Mutant, misfit, PROJECT, patched, readMutants } from './mutants.ts';

/** Requirements that must have one at least. */
const REQUIRED = 'P1 P2 P5 T3 T7 T8 W7 O4 F4 C1 C3 C5 R3 X1 X2 X3 X4'.split(' ');

describe('the mutants', () => {
  const mutants = readMutants();

  it('fit the project: what each replaces is there once, and its tests are there', () => {
    expect(mutants.map(misfit).filter((issue) => issue !== undefined)).to.deep.equal([]);
  });

  it('are there for every requirement that must have one, and differ', () => {
    const ids = new Set(mutants.flatMap((mutant) => mutant.ids));
    expect(REQUIRED.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect(new Set(mutants.map(({ what }) => what)).size).to.equal(mutants.length);
  });

  it('are refused where what they replace is not there, or there twice', () => {
    const mutant: Mutant = {
      what: 'x',
      ids: ['P1'],
      file: 'src/x.ts',
      find: 'a',
      replace: 'b',
      tests: ['x.test.ts'],
    };
    expect(patched(mutant, '-a-')).to.equal('-b-');
    expect(() => patched(mutant, '-a-a-')).to.throw('2 times');
    expect(() => patched(mutant, '---')).to.throw('0 times');
  });

  it('fit whatever a function that src/identity exports is called', () => {
    const identity = path.join(PROJECT, 'src/identity');
    const files = readdirSync(identity, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const exported = /^export (?:(?:async )?function\*? |const (?=\w+ = (?:async )?\())(\w+)/gm;
    const names = files.flatMap((file) =>
      [...readFileSync(path.join(identity, file), 'utf8').matchAll(exported)].map(([, name]) => name),
    );
    expect(names.length).to.be.above(50);
    const name = new RegExp(`\\b(?:${names.join('|')})\\b`, 'g');
    for (const mutant of mutants) {
      const renamed = readFileSync(path.join(PROJECT, mutant.file), 'utf8').replace(name, '$&Renamed');
      expect(patched(mutant, renamed), mutant.what).to.not.equal(renamed);
      expect(mutant.replace.match(name), `${mutant.what}: what it replaces by`).to.equal(null);
    }
  });
});
