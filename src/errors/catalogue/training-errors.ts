/** Errors between coordinator and workers while a run trains. */
import { define, type Definition } from './definition.js';

export const TRAINING_ERRORS = {
  PROTOCOL_VERSION: define(
    'the worker speaks protocol version {worker}, the coordinator {coordinator}',
    'run the same vitrail version on both sides',
  ),
  PROTOCOL_GARBAGE: define(
    'a message from {peer} does not follow the vitrail protocol: {reason}',
    'check what is connected to this port',
  ),
  WORKER_REFUSED: define(
    'the coordinator refused this worker: {reason}',
    'give the coordinator a larger --max-workers, or wait for its next run',
  ),
  COORDINATOR_REPLACED: define(
    'the coordinator at {address} now belongs to another run',
    'start this worker again to take part in it',
  ),
  WORKER_LOST: define(
    'worker {worker} was lost in step {step} during {phase}: {reason}',
    'the run goes on with the other workers; if there are none, start it again with --resume',
  ),
  COORDINATOR_UNREACHABLE: define(
    'the coordinator at {address} has not answered for {waitedMs} ms',
    'check the address, and that the coordinator is running',
  ),
  WORKERS_MISSING: define(
    'only {joined} of {expected} workers joined within {waitedMs} ms',
    'start the missing workers, or raise --join-timeout-ms',
  ),
  STEP_TIMEOUT: define(
    'nothing moved in step {step} for {timeoutMs} ms: waiting for {waiting}',
    'raise --step-timeout-ms if the workers are only slow',
  ),
  RING_TIMEOUT: define(
    'the all-reduce of step {step} stalled for {waitedMs} ms: {progress}',
    'check the network between the worker and its neighbour in the ring',
  ),
  RING_ABORTED: define(
    'the all-reduce of step {step} in generation {generation} was called off: {reason}',
    'nothing needs to be done: the next generation repeats it',
  ),
  STATE_LOST: define(
    'no worker holds the state of step {step} any more',
    'the run rolls back to its newest checkpoint as soon as workers join',
  ),
  STATE_DISCREDITED: define(
    'the workers held different states after step {step}, the steps since step {agreed} may be wrong: {problem}',
    'the run rolls back to its newest checkpoint; the memory or processor of that worker is suspect: leave it out',
  ),
  NO_PROGRESS: define(
    'the run rolled back to step {step} {times} times and never got beyond step {reached}: {reason}',
    'look in the log for what ends the workers there (if they run out of memory, use a smaller --micro-batch), then start the run again with --resume',
  ),
  STATE_TRANSFER_FAILED: define(
    'the state of step {step} could not be transferred: {problem}',
    'check the network between the processes; the run goes on without this worker',
  ),
  DIGEST_MISMATCH: define(
    'worker {worker} holds a reduced gradient that differs from the others in step {step}',
    'its memory or processor is suspect: leave that machine out and start again with --resume',
  ),
  STATE_MISMATCH: define(
    'worker {worker} holds a different {part} than it should after step {step}',
    'its memory or processor is suspect: leave that machine out and start again with --resume',
  ),
  GRADIENT_NOT_REPEATABLE: define(
    'step {step} was computed {times} times and its gradient left its range each time',
    'the backend gives other results for the same input: choose another --backend',
  ),
  LOSS_NOT_FINITE: define(
    'the loss is {value} in step {step} (micro-batch {microBatch})',
    'lower the learning rate, lengthen the warm-up or clip the gradient; the last checkpoint is kept',
  ),
  GRADIENT_NOT_FINITE: define(
    'the gradient of {tensor} is not finite in step {step}',
    'lower the learning rate, lengthen the warm-up or clip the gradient; the last checkpoint is kept',
  ),
  CHAOS_FAILED: define(
    '{failed} of {runs} runs did not end with the weights of the clean run',
    'look at their run folders in {out}',
  ),
} as const satisfies Record<string, Definition>;
