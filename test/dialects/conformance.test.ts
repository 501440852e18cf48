/** Every dialect beside a neighbour whose tokens must open nothing here. */
import { dialectSuite } from '../conformance/dialect.ts';
import { exampleContext, vendors, visitnote } from './vendors.ts';

dialectSuite('example', exampleContext, visitnote);
for (const context of vendors) dialectSuite(context.dialect.name, context, exampleContext);
