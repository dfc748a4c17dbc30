/** Membership and planning over random histories: workers come, go, stop and leave, and every step commits once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { microBatches } from '../../../src/coordinator/step/sampling.js';
import { nextRound, statePeers, type StepRound } from '../../../src/coordinator/step/step-round.js';
import { workToDo, type HeldWork } from '../../../src/worker/held-work.js';

const MICRO_BATCHES = microBatches(new Uint32Array(9), 1);
const STEPS = 4;

/** A worker as far as membership and planning see it, and what is really in its sum. */
interface SimulatedWorker {
  readonly worker: number;
  state: number | null;
  leaving: boolean;
  holds: readonly number[];
  held: HeldWork | null;
  /** Plans that are on their way to it; a later one overtakes the work on the one before. */
  plan: StepRound | null;
  /** Step and generation that it has reported. */
  reported: string;
  /** How often it has computed each micro-batch of the step. */
  readonly computed: Map<number, number>;
}

type Event =
  | { readonly kind: 'lose' | 'join' | 'leave' | 'compute' | 'report'; readonly which: number }
  | { readonly kind: 'repeat' | 'stall'; readonly which: number };

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('lose', 'join', 'leave', 'compute', 'compute', 'report', 'report', 'repeat', 'stall'),
  which: fc.nat({ max: 30 }),
});

/** The coordinator's loop with fake time: one event after the other, and what it decides from them. */
class Simulation {
  readonly workers: SimulatedWorker[] = [];
  readonly plans = new Map<string, string>();
  readonly commits: number[] = [];
  readonly speeds = new Map<number, number>();
  round: StepRound | null = null;
  last: { generation: number; ring: readonly number[] | null } = { generation: 0, ring: null };
  step = 0;
  exponents = Int32Array.of(3, 1);
  #next = 0;

  join(state: number | null): void {
    const worker = this.#next++;
    const nothing = { leaving: false, holds: [], held: null, plan: null, reported: '', computed: new Map() };
    this.workers.push({ worker, state, ...nothing });
    this.speeds.set(worker, 1 + (worker % 3));
  }

  /** Plans the next round, if anybody holds the state. */
  plan(): void {
    const before = new Set(this.round?.ring);
    const able = this.workers.filter((w) => !w.leaving || before.has(w.worker));
    if (!able.some((w) => w.state === this.step)) return;
    const { step, last, exponents, speeds, round: previous } = this;
    const round = nextRound({
      step,
      last,
      exponents,
      speeds,
      previous,
      microBatches: MICRO_BATCHES,
      members: this.workers,
    });
    this.last = { generation: round.generation, ring: null };
    this.round = round;
    const key = `${round.step}/${round.generation}`;
    const text = JSON.stringify([
      round.ring,
      [...round.assignment].map(([w, list]) => [w, list.map((m) => m.index)]),
    ]);
    assert.equal(this.plans.get(key) ?? text, text, `two plans of ${key} disagree`);
    assert.ok(!this.commits.includes(round.step), 'a committed step is planned again');
    this.plans.set(key, text);
    for (const w of this.workers) if (round.ring.includes(w.worker)) w.plan = round;
  }

  /** One micro-batch, as a worker does it: it keeps what it has where that is part of its plan. */
  compute(w: SimulatedWorker): void {
    const { plan } = w;
    if (plan === null) return;
    if (w.state !== plan.step) {
      assert.ok(statePeers(plan, w.worker).length > 0, 'a worker without the state is told where it is');
      w.state = plan.step;
      return;
    }
    const assigned = (plan.assignment.get(w.worker) ?? []).map(({ index, samples }) => ({
      index,
      samples: [...samples],
    }));
    const { step, exponents } = plan;
    const { keep, compute } = workToDo(w.held, { step, exponents: [...exponents], microBatches: assigned });
    const done = keep ? [...(w.held?.microBatches ?? [])] : [];
    const next = compute[0]?.index;
    if (next !== undefined) w.computed.set(next, (w.computed.get(next) ?? 0) + 1);
    const all = new Set([...done, ...(next === undefined ? [] : [next])]);
    w.held = { step, exponents: [...exponents], microBatches: all };
  }

  finished(w: SimulatedWorker): boolean {
    const { plan, held } = w;
    if (plan === null) return false;
    if (w.state !== plan.step || held?.step !== plan.step) return false;
    const assigned = (plan.assignment.get(w.worker) ?? []).map(({ index }) => index);
    const same = held.exponents.every((e, slot) => e === plan.exponents[slot]);
    return (
      same && assigned.length === held.microBatches.size && assigned.every((i) => held.microBatches.has(i))
    );
  }

  report(w: SimulatedWorker): void {
    if (this.finished(w)) w.reported = `${w.plan!.step}/${w.plan!.generation}`;
    this.commitIfAll();
  }

  commitIfAll(): void {
    const { round } = this;
    if (round === null) return;
    const ring = round.ring.map((number) => this.workers.find((w) => w.worker === number));
    if (!ring.every((w) => w?.reported === `${round.step}/${round.generation}`)) return;
    const sum = ring.flatMap((w) => [...(w?.held?.microBatches ?? [])]).sort((a, b) => a - b);
    assert.deepEqual(
      sum,
      MICRO_BATCHES.map(({ index }) => index),
      'the sum holds every micro-batch exactly once',
    );
    this.commits.push(this.step);
    for (const w of ring) Object.assign(w!, { state: this.step + 1, plan: null });
    this.last = { generation: round.generation, ring: round.ring };
    this.round = null;
    this.step++;
    for (const w of this.workers) w.computed.clear();
    const stays = this.workers.filter((w) => !w.leaving);
    // The last that holds the state leaves a checkpoint, which is another story.
    if (!stays.some((w) => w.state === this.step)) return;
    this.workers.splice(0, this.workers.length, ...stays);
  }

  take({ kind, which }: Event): void {
    if (kind === 'join') {
      this.join(null);
      return;
    }
    const w = this.workers[which % Math.max(1, this.workers.length)];
    if (w === undefined) return;
    if (kind === 'compute') this.compute(w);
    else if (kind === 'report') this.report(w);
    else if (kind === 'leave') w.leaving = true;
    else if (kind === 'lose') {
      const holders = this.workers.filter((other) => other.state === this.step);
      // The last that holds the state: the run rolls back to a checkpoint, which is another story.
      if (w.state === this.step && holders.filter((other) => !other.leaving || other === w).length === 1)
        return;
      this.workers.splice(this.workers.indexOf(w), 1);
      if (this.round?.ring.includes(w.worker) === true) this.plan();
    } else if (this.round !== null) {
      if (kind === 'repeat') this.exponents = Int32Array.of(3, this.exponents[1]! - 1);
      this.plan();
    }
  }
}

test('over random histories no two plans disagree, every sum is whole, every step commits once, every wait ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(event, { maxLength: 120 }), (count, events) => {
      const run = new Simulation();
      for (let i = 0; i < count; i++) run.join(0);
      for (const next of events) {
        if (run.step >= STEPS) break;
        if (run.round === null) run.plan();
        run.take(next);
      }
      // Whatever has happened, the workers that are left bring the run to its end.
      for (let turns = 0; run.step < STEPS; turns++) {
        assert.ok(turns < 200, 'the run does not come to its end');
        if (run.round === null) {
          for (const w of run.workers) w.leaving = false;
          run.plan();
        }
        for (const w of [...run.workers]) {
          run.compute(w);
          run.report(w);
        }
      }
      assert.deepEqual(
        run.commits,
        Array.from({ length: STEPS }, (_, i) => i),
      );
    }),
    { numRuns: 1500 },
  );
});

test('a lost worker costs the others only its own micro-batches', () => {
  const run = new Simulation();
  for (let i = 0; i < 3; i++) run.join(0);
  run.plan();
  for (const w of run.workers) for (let i = 0; i < 9; i++) run.compute(w);
  run.take({ kind: 'lose', which: 1 });
  for (const w of run.workers) for (let i = 0; i < 9; i++) run.compute(w);
  const lost = 9 - run.workers.flatMap((w) => [...w.computed.values()]).length;
  assert.equal(lost, 0);
  assert.ok(run.workers.every((w) => [...w.computed.values()].every((times) => times === 1)));
  for (const w of [...run.workers]) run.report(w);
  assert.deepEqual(run.commits, [0]);
});
