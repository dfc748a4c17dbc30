/** Every coded error of vitrail: what happened, what to do. docs/errors.md is written from it. */

interface Definition<M extends string = string, R extends string = string> {
  /** What happened, with the actual values in braces. */
  readonly message: M;
  /** What the reader can do about it. */
  readonly remedy: R;
}

function define<const M extends string, const R extends string>(message: M, remedy: R): Definition<M, R> {
  return { message, remedy };
}

export const ERROR_CATALOGUE = {
  // Configuration
  CONFIG_UNKNOWN_KEY: define(
    'unknown option "{key}"',
    'did you mean "{suggestion}"? `vitrail train --help` lists all options',
  ),
  CONFIG_INVALID_VALUE: define('option "{key}" is {value}: {problem}', 'set "{key}" to {expected}'),
  CONFIG_MISSING: define('option "{key}" is not given', 'set "{key}" to {expected}'),
  CONFIG_UNREADABLE: define(
    'cannot read the config file {path}: {reason}',
    'check the path, and that it is valid YAML',
  ),
  CONFIG_UNKNOWN_PRESET: define(
    'unknown preset "{preset}"',
    'did you mean "{suggestion}"? There are {known}',
  ),
  PATH_OF_HOME: define(
    'it is not clear which folder {path} means: {reason}',
    'write the whole path, or ./{path} if a file or folder has exactly that name',
  ),
  MODEL_UNKNOWN: define(
    'unknown model "{model}"',
    'did you mean {suggestion}? Models are called SIZE/PATCH with SIZE one of {sizes}',
  ),
  MODEL_PATCH_DOES_NOT_DIVIDE: define(
    'image size {imageSize} is not divisible by the patch size {patch}',
    'use an image size that is a multiple of {patch}, for example {suggestion}',
  ),
  BATCH_NOT_DIVISIBLE: define(
    'the batch of {batch} is not divisible by the micro-batch of {microBatch}',
    'use a micro-batch that divides the batch, for example {suggestion}',
  ),
  TOO_MANY_WORKERS: define(
    'there are {workers}, and only {microBatches} in a step',
    'use at most {most}, or a smaller micro-batch',
  ),

  MODEL_CLOSED: define(
    'the model of {path} is closed',
    'close it after its last use, or open it again with openTrainedModel',
  ),

  // Data
  DATA_NOT_A_DIRECTORY: define(
    '{path} is not a directory',
    'give --data the folder that holds train/ and test/ (or val/)',
  ),
  DATA_NO_SPLIT: define('{path} has no {split} folder', '{advice}'),
  DATA_NOTHING_TO_EVALUATE: define(
    '{path} has neither val nor test images: without them the best weights cannot be chosen',
    'put images into {path}/test/CLASS, or use a share of the training images: --val-split 0.1',
  ),
  DATA_VAL_TWICE: define(
    '{path} holds both {val} and {other}, two names of the validation images',
    'keep one of the two folders',
  ),
  DATA_VAL_EXISTS: define(
    '{path} holds validation images in {val}, and --val-split takes others from train',
    'leave out --val-split, or move {val} away',
  ),
  DATA_EMPTY: define(
    '{path} holds no images',
    'put images (jpg, jpeg, jfif, png, webp, bmp, tif, tiff, ppm, pgm, pbm, gif) into one folder per class',
  ),
  DATA_EMPTY_CLASS: define(
    'a class folder without images: {path}',
    'add images to it or remove the folder, in every split',
  ),
  DATA_ONE_CLASS: define(
    '{path} has only the class "{className}"',
    'a classifier needs at least two class folders',
  ),
  DATA_CLASSES_DIFFER: define(
    'the class folders of {split} differ from those of train: {difference}',
    'use the same class folders in both splits',
  ),
  DATA_OTHER_CLASSES: define(
    'the classes in {path} are not those of the checkpoint: {difference}',
    'evaluate on a folder with the class folders that the model was trained on',
  ),
  DATA_UNREADABLE: define('cannot read {path}: {reason}', 'check the file and its permissions'),
  DATA_UNUSABLE_FILES: define(
    '{count} of the files in {path} cannot be used: {list}',
    'repair or remove them, or leave them out: vitrail data check DIR --write-exclude broken.txt, then --exclude broken.txt',
  ),
  DATA_BROKEN_IMAGE: define(
    'cannot decode the image {path}: {reason}',
    'repair or remove the file; to train without it: vitrail data check DIR --write-exclude broken.txt, then vitrail train --exclude broken.txt; to evaluate without it: vitrail evaluate --skip-broken',
  ),
  DATA_ALL_BROKEN: define(
    'no image in {path} can be decoded ({images} tried)',
    'the lines above give the reason for each; `vitrail data check` does the same for a data set',
  ),
  DATA_MANIFEST_MISMATCH: define(
    "this worker's files differ from the coordinator's: {difference}",
    'give every worker the same data set',
  ),
  DATA_NOT_ON_THIS_MACHINE: define(
    'the coordinator has its images in {path}, and this machine ({host}) has no such folder',
    "start the worker with --data and this machine's folder of the same images, or put the images at the same path on every machine",
  ),
  DATA_EXCLUDE_UNKNOWN: define(
    'the exclude list {path} names {entry}, which is not in the data set',
    'paths in it are relative to the data folder; write it again with vitrail data check',
  ),
  DATA_LOADER_TIMEOUT: define(
    'the image loader did not deliver {batch} within {waitedMs} ms',
    'check that the disk of the data folder answers and that the machine is not overloaded',
  ),
  DATA_LOADER_STOPPED: define(
    'the image loader stopped: {reason}',
    'start the worker again; the run goes on from the last commit',
  ),
  OUTPUT_WRITE_FAILED: define(
    'cannot write the output: {reason}',
    'check free space and permissions of the place that it goes to',
  ),
  DATA_WRITE_FAILED: define('cannot write {path}: {reason}', 'check free space and permissions'),

  // Checkpoints
  CHECKPOINT_NOT_FOUND: define(
    'no checkpoint at {path}',
    'give a checkpoint folder, or a run folder that holds one',
  ),
  CHECKPOINT_FOREIGN: define(
    '{path} is {what}, not a checkpoint of vitrail',
    'give a run folder, or one of its checkpoint folders (RUN/checkpoints/step-NNNNNNNN); weights that other programs wrote cannot be read',
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
    'check the path and its permissions',
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
  RUN_DATA_CHANGED: define(
    'the data of the run in {path} has changed: its manifest digest was {stored}, now it is {given}',
    'resume with the same files, or start a new run with another --out',
  ),

  // Protocol
  PORT_IN_USE: define(
    'cannot listen on {address}: {reason}',
    'choose another address, or stop the program that listens there',
  ),
  ADDRESS_INVALID: define('cannot use the address {address}: {reason}', 'write it as tcp://HOST:PORT'),
  HOST_UNRESOLVED: define(
    'the host name {host} does not resolve: {reason}',
    'give an IP address, or a name that this machine knows (`getent hosts {host}` asks for it)',
  ),
  PROTOCOL_VERSION: define(
    'the worker speaks protocol version {worker}, the coordinator {coordinator}',
    'run the same vitrail version on both sides',
  ),
  PROTOCOL_GARBAGE: define(
    'a message from {peer} does not follow the vitrail protocol: {reason}',
    'check what is connected to this port',
  ),
  BACKEND_MISMATCH: define(
    'the worker computes with backend {worker}, but the run computes with {run}',
    'choose a --backend that all machines have, and use machines of one kind: bits differ between processors',
  ),
  BACKEND_UNAVAILABLE: define(
    'the backend {backend} cannot be used here: {reason}',
    'use one of: {available}',
  ),
  BACKEND_NOT_INSTALLED: define(
    'the backend {backend} is not installed: there is no package {package}',
    'install it with `{command}`, which downloads TensorFlow, or leave --backend out',
  ),
  PRECISION_UNSUPPORTED: define(
    'the backend {backend} does not compute in {precision}',
    'use --precision fp32, or --backend native (built where there is a C++ compiler)',
  ),
  TENSOR_TYPE_UNSUPPORTED: define(
    'the backend {backend} has no tensors of type {dtype}',
    'use float32, int32 or bool, or another --backend',
  ),
  PRODUCT_CHOICES_UNREADABLE: define(
    'the table of algorithms {path} cannot be used: {reason}',
    'write it again with `vitrail tune`, on this kind of GPU',
  ),
  DEVICE_OUT_OF_MEMORY: define(
    'a micro-batch of {microBatch} does not fit the memory of {device}: {reason}',
    'use --micro-batch {fits} (estimated from smaller ones), or --recompute',
  ),
  DEVICE_TOO_SMALL: define(
    '{device} does not have enough memory for this model, even with one image at a time: {reason}',
    'use a device with more memory, --precision bf16, --recompute, or a smaller model',
  ),
  DEVICE_INVALID: define(
    'there is no device "{device}"',
    'use auto, cpu, or cuda:N with the number of a GPU',
  ),
  DEVICE_UNUSABLE: define(
    'the device {device} cannot be used: {reason}',
    '`vitrail devices` lists the devices of this machine; "cpu" always works',
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
  OPEN_FILES_EXHAUSTED: define(
    'no more files and connections can be opened: {reason}',
    'raise the limit before the command (`ulimit -n 4096`; LimitNOFILE= of a service, --ulimit nofile=4096 of a container), or use fewer --workers',
  ),
  THREADS_EXHAUSTED: define(
    'no more threads and processes can be started: {reason}',
    'raise the limit (`ulimit -u`; TasksMax= of a service, --pids-limit of a container), or use fewer --workers and --threads',
  ),
  MEMORY_EXHAUSTED: define(
    'there is no memory left: {reason}',
    'use fewer --workers, a smaller --micro-batch, or --recompute; or raise what limits it: the container, `ulimit -v`, NODE_OPTIONS=--max-old-space-size=MB',
  ),
  DISK_EXHAUSTED: define('there is no space left: {reason}', 'make room on that disk, or raise the quota'),
  INTERNAL: define('internal error: {reason}', 'please report it with the log'),
} as const satisfies Record<string, Definition>;
