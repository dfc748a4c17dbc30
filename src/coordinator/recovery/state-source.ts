/** Decides where a worker that says hello gets weights and moments from. Pure. */
import { StateSource, type Body } from '../../wire/codec.js';

/** How far the run is, and what the coordinator itself can give. */
export interface RunPosition {
  readonly runToken: string;
  /** Committed steps. */
  readonly step: number;
  /** The last commit, if it is known. A worker may not have heard of it. */
  readonly lastCommit: { readonly generation: number; readonly digest: string } | null;
  /**
   * What the coordinator can give of the state after `step` steps: parts of a checkpoint, or the seed. Null
   * if nothing.
   */
  readonly own: { readonly pullParts: readonly string[]; readonly initialise: boolean } | null;
  /**
   * Whether the sum that the worker has counts: yes after a restart of the coordinator, no after the worker
   * was removed.
   */
  readonly keepSums: boolean;
  /**
   * States after more than `after` and at most `upTo` steps are not trusted. If it is missing, all states
   * are.
   */
  readonly distrusted?: { readonly after: number; readonly upTo: number } | null;
}

export type StateChoice = Pick<Body<'welcome'>, 'stateSource' | 'pullParts' | 'commitDigest' | 'keepSum'> & {
  /** Micro-batches of the current step that are in the worker's sum and count. */
  readonly holds: readonly number[];
};

const NO_DIGEST = new Uint8Array(0);

function stateChoice(stateSource: StateSource, more: Partial<StateChoice> = {}): StateChoice {
  return { stateSource, pullParts: [], commitDigest: NO_DIGEST, keepSum: false, holds: [], ...more };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param hello says what the worker holds */
export function chooseStateSource(hello: Body<'hello'>, position: RunPosition): StateChoice {
  const { runToken, step, lastCommit, own, keepSums } = position;
  const { after, upTo } = position.distrusted ?? { after: 0, upTo: 0 };
  const trusted = step <= after || step > upTo;
  if (hello.runToken === runToken && hello.step === step && trusted) {
    const holds = keepSums ? hello.microBatches : [];
    return stateChoice(StateSource.STATE_SOURCE_KEPT, { keepSum: keepSums, holds });
  }
  const waits =
    hello.runToken === runToken &&
    hello.step === step - 1 &&
    lastCommit?.generation === hello.pendingGeneration &&
    lastCommit.digest === hex(hello.pendingDigest);
  // The worker has the reduced gradient of the last committed step, and only the commit did not reach it.
  if (waits) return stateChoice(StateSource.STATE_SOURCE_KEPT, { commitDigest: hello.pendingDigest });
  if (own === null) return stateChoice(StateSource.STATE_SOURCE_PEERS);
  const { STATE_SOURCE_SEED, STATE_SOURCE_COORDINATOR } = StateSource;
  const source = own.initialise ? STATE_SOURCE_SEED : STATE_SOURCE_COORDINATOR;
  return stateChoice(source, { pullParts: [...own.pullParts] });
}
