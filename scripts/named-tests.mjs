// A reporter like Node's own `spec`, but without a line for each test whose name does not match.
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

/** Node 20 reports a test that its pattern leaves out as skipped, with this reason. Later versions do not report it. */
const LEFT_OUT = 'test name does not match pattern';

/** @param {string[]} names the names that were asked for. If no test has such a name, the run fails */
export function namedTests(names) {
  return async function* report(events) {
    let ran = 0;
    async function* wanted() {
      for await (const event of events) {
        if (event.data?.skip === LEFT_OUT) continue;
        if (event.type === 'test:pass' || event.type === 'test:fail') ran++;
        yield event;
      }
    }
    yield* Readable.from(wanted()).compose(new spec());
    if (names.length > 0 && ran === 0) {
      process.exitCode = 1;
      yield `no test of these files has a name with ${names.map((name) => JSON.stringify(name)).join(' or ')}\n`;
    }
  };
}
