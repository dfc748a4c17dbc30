/** The tape adds up gradients, hands them out once, frees as it goes and loses none in silence. */
import assert from 'node:assert/strict';
import { tf } from '../../src/nn/tfjs.js';
import type { ParameterSlot } from '../../src/run/model/parameter-layout.js';
import { add } from '../../src/nn/ops/add.js';
import { tanh } from '../../src/nn/ops/tanh.js';
import { Tape } from '../../src/nn/tape.js';
import { testOnBackends } from './tested-backends.js';

const slot = (name: string): ParameterSlot => ({ name, shape: [1, 2], kind: 'bias', offset: 0, length: 2 });
const noSink = () => assert.fail('there are no parameters');

testOnBackends('the gradients of all uses of a tensor are added', () => {
  const tape = new Tape(new Map(), noSink);
  const x = tf.tensor2d([1, 2], [1, 2]);
  tape.watch(x);
  const twice = add(tape, x, x);
  const y = add(tape, add(tape, twice, x), twice);
  tape.walk(y, tf.ones([1, 2]));
  assert.deepEqual([...tape.takeGradient(x).dataSync()], [5, 5]);
});

testOnBackends('a parameter with two uses is handed out once, complete', () => {
  const parameter = tf.tensor2d([1, 2], [1, 2]);
  const calls: [string, number[]][] = [];
  const tape = new Tape(new Map([[parameter.id, slot('p')]]), ({ name }, gradient) =>
    calls.push([name, [...gradient.dataSync()]]),
  );
  const y = add(tape, add(tape, parameter, parameter), parameter);
  tape.walk(y, tf.tensor2d([1, 10], [1, 2]));
  assert.deepEqual(calls, [['p', [3, 30]]]);
});

testOnBackends('gradients are handed out while earlier ops still wait, the last layer first', () => {
  const parameters = ['first', 'second', 'third'].map((name) => ({
    tensor: tf.tensor2d([1, 2], [1, 2]),
    slot: slot(name),
  }));
  const order: string[] = [];
  const held: number[] = [];
  const tape = new Tape(new Map(parameters.map((p) => [p.tensor.id, p.slot])), ({ name }) => {
    order.push(name);
    held.push(tf.memory().numTensors);
  });
  const x = tf.tensor2d([0.5, 0.25], [1, 2]);
  tape.watch(x);
  let y = x;
  for (const { tensor } of parameters) {
    const next = tf.tidy(() => tanh(tape, add(tape, y, tensor)));
    if (y !== x) y.dispose();
    y = next;
  }
  tape.walk(y, tf.ones([1, 2]));
  assert.deepEqual(order, ['third', 'second', 'first']);
  // One saved tanh less at each callback.
  assert.deepEqual(
    held.map((count) => held[0]! - count),
    [0, 1, 2],
  );
});

testOnBackends('after a walk nothing is left but inputs, output and the leaf gradient', () => {
  const x = tf.tensor2d([1, 2], [1, 2]);
  const dy = tf.ones([1, 2]);
  const start = tf.memory().numTensors;
  const tape = new Tape(new Map(), noSink);
  tape.watch(x);
  const y = tf.tidy(() => tanh(tape, tanh(tape, x)));
  tape.walk(y, dy);
  assert.equal(tf.memory().numTensors, start + 2);
  tape.takeGradient(x).dispose();
  y.dispose();
  assert.equal(tf.memory().numTensors, start);
});

testOnBackends('what an abandoned tape saved is freed', () => {
  const x = tf.tensor2d([1, 2], [1, 2]);
  const start = tf.memory().numTensors;
  const tape = new Tape(new Map(), noSink);
  tape.watch(x);
  const y = tf.tidy(() => tanh(tape, tanh(tape, x)));
  y.dispose();
  assert.equal(tf.memory().numTensors, start + 2);
  tape.dispose();
  assert.equal(tf.memory().numTensors, start);
});

testOnBackends('a callback that throws ends the walk, and dispose frees the rest', () => {
  const parameter = tf.tensor2d([1, 2], [1, 2]);
  const x = tf.tensor2d([1, 2], [1, 2]);
  const dy = tf.ones([1, 2]);
  const start = tf.memory().numTensors;
  const tape = new Tape(new Map([[parameter.id, slot('p')]]), () => {
    throw new Error('no room');
  });
  tape.watch(x);
  const y = tf.tidy(() => tanh(tape, add(tape, tanh(tape, x), parameter)));
  assert.throws(() => tape.walk(y, dy), /no room/);
  tape.dispose();
  y.dispose();
  assert.equal(tf.memory().numTensors, start);
});

testOnBackends('a backward pass that throws, as for want of memory, leaves nothing behind', () => {
  const x = tf.tensor2d([1, 2], [1, 2]);
  const dy = tf.ones([1, 2]);
  const start = tf.memory().numTensors;
  const tape = new Tape(new Map(), noSink);
  tape.watch(x);
  const y = tf.tidy(() => {
    const z = tanh(tape, x);
    const output = tf.neg(z);
    const backward = (): never => {
      tf.ones([100]);
      throw new RangeError('out of memory');
    };
    tape.record({ output, inputs: [z], saved: [z], backward });
    return output;
  });
  assert.throws(() => tape.walk(y, dy), RangeError);
  tape.dispose();
  y.dispose();
  assert.equal(tf.memory().numTensors, start);
});

testOnBackends('the gradients behind one that a callback failed on are freed', () => {
  const [p, q] = [tf.tensor2d([1, 2], [1, 2]), tf.tensor2d([3, 4], [1, 2])];
  const dy = tf.ones([1, 2]);
  const start = tf.memory().numTensors;
  const tape = new Tape(new Map([p, q].map((tensor, i) => [tensor.id, slot(`p${i}`)])), () => {
    throw new Error('no room');
  });
  const y = add(tape, p, q);
  assert.throws(() => tape.walk(y, dy), /no room/);
  tape.dispose();
  y.dispose();
  assert.equal(tf.memory().numTensors, start);
});

testOnBackends('an op on a tensor that no recorded op made is refused', () => {
  const tape = new Tape(new Map(), noSink);
  const x = tf.tensor2d([1, 2], [1, 2]);
  tape.watch(x);
  const untaped = tf.mul<tf.Tensor2D>(x, 2);
  assert.throws(() => add(tape, x, untaped), {
    code: 'INTERNAL',
    message: new RegExp(`tensor ${untaped.id}, which no recorded op made`),
  });
});

testOnBackends('a recorded op that does not reach the loss is refused', () => {
  const tape = new Tape(new Map(), noSink);
  const x = tf.tensor2d([1, 2], [1, 2]);
  tape.watch(x);
  const y = tanh(tape, x);
  const lost = tanh(tape, x);
  assert.throws(() => tape.walk(y, tf.ones([1, 2])), {
    code: 'INTERNAL',
    message: new RegExp(`tensor ${lost.id} does not reach the loss`),
  });
});

testOnBackends('asking for a gradient that never came is refused', () => {
  const tape = new Tape(new Map(), noSink);
  const x = tf.tensor2d([1, 2], [1, 2]);
  tape.watch(x);
  assert.throws(() => tape.takeGradient(x), { code: 'INTERNAL', message: /no gradient reached/ });
});
