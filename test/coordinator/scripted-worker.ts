/** A worker that answers what a coordinator asks, from a script: it computes nothing. */
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/host/clock.js';
import { piecewiseDigest } from '../../src/run/checkpoint/piecewise-digest.js';
import type { Message } from '../../src/wire/codec.js';
import { stateChunk } from '../../src/wire/state-pull.js';
import { Peer } from './cluster-peer.js';

export interface Script {
  /** Numbers in its weights and in the model's gradient. */
  readonly parameters: number;
  readonly tensors: number;
  /** Right answers of an evaluation after `step` steps. */
  readonly correct: (step: number) => number;
  /** Sum of the losses of an evaluation after `step` steps. */
  readonly lossSum: (step: number) => number;
}

export class ScriptedWorker {
  readonly peer: Peer;
  readonly #script: Script;
  readonly #weights: Uint8Array;
  #step = 0;

  constructor(t: TestContext, address: string, script: Script) {
    this.peer = new Peer(t, address);
    this.#script = script;
    this.#weights = new Uint8Array(4 * script.parameters);
  }

  /** Joins with the state after no step, and answers until its connection is closed. */
  async start(): Promise<void> {
    await this.peer.join();
    void this.#answer();
  }

  async #answer(): Promise<void> {
    try {
      for (;;) await this.#take(await this.peer.receive());
    } catch {
      // The test is over.
    }
  }

  async #take(message: Message): Promise<void> {
    const { peer } = this;
    switch (message.name) {
      case 'stepPlan': {
        const { step, generation, samples } = message.body;
        const figures = { lossSum: 5, correct: 1, samples, nonFinite: [] };
        const bits = { digest: new Uint8Array(32), maxima: Array<number>(this.#script.tensors).fill(0) };
        const sound = { lossNotFinite: false, lossNotFiniteAt: 0, timings: {} };
        return peer.send('stepDone', { step, generation, ...figures, ...bits, ...sound });
      }
      case 'commit': {
        const { step } = message.body;
        this.#step = step + 1;
        return peer.send('updateDone', { step, gradientNorm: 1, updateMs: 1, commitWaitMs: 1 });
      }
      case 'digestRequest': {
        const parts = [{ part: 'weights', sha256: await piecewiseDigest(systemClock, this.#weights) }];
        return peer.send('stateDigest', { step: message.body.step, parts });
      }
      case 'stateRequest':
        return peer.send('stateChunk', stateChunk(message.body, this.#weights));
      case 'evaluationPlan': {
        const { evaluation, microBatches } = message.body;
        const predictions = microBatches.flatMap(({ samples }) => samples).map(() => 0);
        const correct = this.#script.correct(this.#step);
        const lossSum = this.#script.lossSum(this.#step);
        return peer.send('evaluationDone', { evaluation, lossSum, correct, predictions });
      }
      default:
    }
  }
}
