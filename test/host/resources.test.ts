import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../src/host/resources.js';

function opened(names: readonly string[], closed: string[]): Resources {
  const resources = new Resources();
  for (const name of names) {
    resources.add(() => {
      closed.push(name);
      if (name.startsWith('broken')) throw new Error(`${name} does not close`);
    });
  }
  return resources;
}

test('what was opened is closed after the work, the newest first', async () => {
  const closed: string[] = [];
  const resources = opened(['a', 'b'], closed);
  const result = await resources.during(
    async () => Promise.resolve(closed.length),
    () => assert.fail(),
  );
  assert.equal(result, 0);
  assert.deepEqual(closed, ['b', 'a']);
});

test('the error of the work is thrown if closing fails as well, and the other error is reported', async () => {
  const closed: string[] = [];
  const also: unknown[] = [];
  const work = async (): Promise<never> => Promise.reject(new Error('the work failed'));
  await assert.rejects(
    opened(['a', 'broken', 'c'], closed).during(work, (error) => also.push(error)),
    /the work failed/,
  );
  assert.deepEqual(closed, ['c', 'broken', 'a']);
  assert.match(String(also), /broken does not close/);
});

test('after good work an error of closing is thrown', async () => {
  const closed: string[] = [];
  const work = async (): Promise<number> => Promise.resolve(1);
  await assert.rejects(
    opened(['broken 1', 'b', 'broken 2'], closed).during(work, () => assert.fail()),
    /broken 2/,
  );
  assert.deepEqual(closed, ['broken 2', 'b', 'broken 1']);
});
