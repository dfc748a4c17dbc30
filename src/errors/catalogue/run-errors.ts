/** Errors of run folders: checkpoints, journal, lease. */
import { define, type Definition } from './definition.js';

export const RUN_ERRORS = {
  CHECKPOINT_NOT_FOUND: define(
    'no checkpoint at {path}',
    'give a checkpoint folder, or a run folder that holds one',
  ),
  CHECKPOINT_FOREIGN: define(
    '{path} is {what}, not a checkpoint of vitrail',
    'give a run folder, or one of its checkpoint folders (RUN/checkpoints/step-NNNNNNNN); weights of other programs are for `evaluate`, `predict` and `train --init-from`',
  ),
  CHECKPOINT_INCOMPLETE: define(
    'the checkpoint {path} was never completed',
    'use an older checkpoint of the run',
  ),
  CHECKPOINT_CORRUPT: define(
    'the checkpoint {path} is damaged: {problem}',
    'use an older checkpoint of the run',
  ),
  CHECKPOINT_UNREADABLE: define(
    'cannot read the checkpoint {path}: {reason}',
    'check the path, its permissions and its disk',
  ),
  CHECKPOINT_OTHER_MODEL: define(
    'the checkpoint {path} is of another model: {difference}',
    'use the model, image size and number of classes that the checkpoint was made with',
  ),
  CHECKPOINT_WRITE_FAILED: define(
    'cannot write the checkpoint {path}: {reason}',
    'check free space and permissions',
  ),
  RUN_WRITE_FAILED: define(
    'cannot write {path}: {reason}',
    'check free space and permissions of the run folder',
  ),
  RUN_EXISTS: define(
    'the run folder {path} already holds a run',
    'continue it with --resume, or choose another --out',
  ),
  RUN_CONFIG_CHANGED: define(
    'the run in {path} was started with {key} = {stored}, now it is {given}',
    'resume with the same value, or start a new run with another --out',
  ),
  RUN_LENGTH_CHANGED: define(
    'the run in {path} was started with {key} = {stored}, now it is {given}',
    'resume without --{key}; use --extend-to-epochs N to make a run longer',
  ),
  RUN_DATA_MISSING: define(
    'the images of the run in {path} were in {data}, and there is no such folder any more',
    'say where the images are now: --data DIR',
  ),
  MODEL_WITHOUT_DATA: define(
    '{path} is a model without a run, so it has no images of its own',
    'say which images to evaluate on: --data DIR',
  ),
  RUN_DATA_CHANGED: define(
    'the data of the run in {path} has changed: its manifest digest was {stored}, now it is {given}',
    'resume with the same files, or start a new run with another --out',
  ),
  RUN_INTERRUPTED: define(
    'the run in {path} was interrupted at step {step}, and none of its workers has come back within {waitedMs} ms',
    'start it with --resume to go back to its newest checkpoint',
  ),
  RUN_NOT_FOUND: define('there is no run in {path}', 'give a run folder, the folder that --out named'),
  STATUS_UNANSWERED: define(
    'no coordinator answers: {reason}',
    'give the address that its --http-listen sets, not that of --listen; or give the run folder',
  ),
  RUN_LOCKED: define(
    'the run folder {path} is in use by {owner}: {reason}',
    'wait until that process ends, or end it; the lease of a process that is gone expires within {seconds} s',
  ),
  RUN_TAKEN_OVER: define(
    'the run folder {path} now belongs to {owner}: this process had not renewed its lease in time',
    'nothing needs to be done if the run goes on there; otherwise find out what held this process up (was it suspended, did its disk not answer?)',
  ),
  JOURNAL_WRITE_FAILED: define(
    'cannot write the journal {path}: {reason}',
    'check free space and permissions',
  ),
  JOURNAL_DAMAGED: define(
    'the journal {path} is damaged: {problem}',
    'remove it and start with --resume to go back to the newest checkpoint',
  ),
} as const satisfies Record<string, Definition>;
