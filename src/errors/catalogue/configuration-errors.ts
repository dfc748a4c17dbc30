/** Errors of options, models and batches that a run is given. */
import { define, type Definition } from './definition.js';

export const CONFIGURATION_ERRORS = {
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
  MODEL_FEATURES_CONFLICT: define(
    "the model's features do not go together: {reason}",
    'change one of the options pooling, last-norm, distillation and pre-logits',
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
} as const satisfies Record<string, Definition>;
