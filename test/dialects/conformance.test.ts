/** Every dialect beside a neighbour whose tokens must open nothing here. */
import { dialectSuite } from '../conformance/dialect.ts';
import { exampleFacts, vendors, visitnote } from './facts.ts';

dialectSuite('example', exampleFacts, visitnote);
for (const facts of vendors) dialectSuite(facts.dialect.name, facts, exampleFacts);
