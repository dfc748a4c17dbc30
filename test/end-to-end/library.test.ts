/** The library in real processes: a program that trains, stops and goes on, and is left with nothing running. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import {
  evaluate,
  openTrainedModel,
  predict,
  train,
  VitrailError,
  type TrainingEvent,
} from '../../src/index.js';
import { cli, isAlive, smallDataset, temporaryFolder } from './cli-run.js';

const folder = temporaryFolder();
let data = '';

before(async () => {
  data = await smallDataset(folder.path);
});
after(() => folder.remove());

function optionsOf(name: string) {
  return {
    data,
    out: join(folder.path, name),
    model: 'vit-micro/16',
    imageSize: 32,
    batch: 16,
    microBatch: 4,
    epochs: 2,
    warmupSteps: 4,
    workers: 2,
    seed: 7,
  };
}

/** Process numbers of the children of this process. */
function children(): number[] {
  return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0 && isAlive(pid));
}

test('a program that trains gets every step, and ends with the weights of the command', async () => {
  const events: TrainingEvent[] = [];
  for await (const event of train(optionsOf('whole'))) events.push(event);

  const steps = events.filter((event) => event.kind === 'step');
  assert.deepEqual(
    steps.map(({ step }) => step),
    Array.from(steps, (_, i) => i),
  );
  const others: readonly string[] = ['note', 'step', 'cluster'];
  const kinds = events.map(({ kind }) => kind).filter((kind) => !others.includes(kind));
  assert.deepEqual(kinds.slice(0, 3), ['placement', 'listening', 'start']);
  const end = events.at(-1)!;
  assert.ok(end.kind === 'end');
  const { summary } = end;
  assert.deepEqual([summary.reason, summary.steps], ['finished', steps.length]);
  const saved = events.findLast((event) => event.kind === 'checkpoint')!;
  assert.equal(saved.weightDigest, summary.weightDigest);

  const flags = Object.entries(optionsOf('command')).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const { stdout, stderr } = await cli('train', ...flags, '--json');
  assert.equal((JSON.parse(stdout) as typeof summary).weightDigest, summary.weightDigest, stderr);
});

test('an aborted run ends in order with a checkpoint of its last step, and goes on to the same weights', async () => {
  const controller = new AbortController();
  let committed = 0;
  let reason = '';
  for await (const event of train(optionsOf('aborted'), { signal: controller.signal })) {
    if (event.kind === 'step') committed = event.step + 1;
    if (event.kind === 'step' && event.step === 1) controller.abort('stopped for lunch');
    if (event.kind === 'end') reason = event.summary.reason;
  }
  assert.equal(reason, 'stopped for lunch');
  const name = `step-${String(committed).padStart(8, '0')}`;
  assert.ok(readdirSync(join(folder.path, 'aborted/checkpoints')).includes(name));
  let resumed = '';
  for await (const event of train({ resume: join(folder.path, 'aborted'), workers: 1 })) {
    if (event.kind === 'end') resumed = event.summary.weightDigest ?? '';
  }
  const { stdout } = await cli('digest', join(folder.path, 'whole'), '--json');
  assert.equal(resumed, (JSON.parse(stdout) as { sha256: string }).sha256);
});

test('leaving the loop leaves nothing running, and signals are not handled', async () => {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  let running: number[] = [];
  for await (const event of train(optionsOf('left'))) {
    if (event.kind !== 'step') continue;
    running = children();
    assert.deepEqual(
      signals.map((signal) => process.listenerCount(signal)),
      [0, 0],
    );
    break;
  }
  assert.ok(running.length >= 2, `${running.length} workers`);
  assert.deepEqual(running.filter(isAlive), []);
  assert.ok(readdirSync(join(folder.path, 'left/checkpoints')).length > 0, 'no checkpoint of what was done');
});

test('what is wrong with the options is thrown with its code, before anything runs', async () => {
  const trained = async (options: object): Promise<void> => {
    for await (const event of train(options)) assert.ok(event.kind === 'placement' || event.kind === 'note');
  };
  await assert.rejects(trained({}), { code: 'CONFIG_MISSING' });
  await assert.rejects(trained({ data, epoch: 3 }), { code: 'CONFIG_UNKNOWN_KEY', message: /epochs/ });
  await assert.rejects(trained({ data: resolve(data, 'none') }), (error) => error instanceof VitrailError);
});

test('a trained model is evaluated to the figures of its run, and predicts', async () => {
  const { stdout } = await cli('evaluate', join(folder.path, 'whole'), '--json');
  const model = await openTrainedModel(join(folder.path, 'whole'));
  const result = await evaluate(model);
  assert.deepEqual(result, JSON.parse(stdout));
  assert.equal(result.images, 24);

  const name = model.classes[0]!;
  const image = join(data, 'test', name, readdirSync(join(data, 'test', name))[0]!);
  const found = [];
  for await (const prediction of predict(model, [image, join(data, 'none.jpg')], { top: 2 }))
    found.push(prediction);
  const [first, second] = found;
  assert.ok(first?.kind === 'predicted' && second?.kind === 'broken');
  assert.deepEqual([first.top.length, first.logits.length], [2, model.classes.length]);
  assert.equal(second.error.code, 'DATA_UNREADABLE');
  model.close();
  await assert.rejects(evaluate(model), { code: 'MODEL_CLOSED' });
});
