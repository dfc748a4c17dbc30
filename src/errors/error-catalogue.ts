/** Every coded error of vitrail: what happened, what to do. docs/errors.md is written from it. */
import { CONFIGURATION_ERRORS } from './catalogue/configuration-errors.js';
import { DATA_ERRORS } from './catalogue/data-errors.js';
import { MACHINE_ERRORS } from './catalogue/machine-errors.js';
import { RUN_ERRORS } from './catalogue/run-errors.js';
import { TRAINING_ERRORS } from './catalogue/training-errors.js';
import { WEIGHT_ERRORS } from './catalogue/weight-errors.js';

export const ERROR_CATALOGUE = {
  ...CONFIGURATION_ERRORS,
  ...DATA_ERRORS,
  ...RUN_ERRORS,
  ...MACHINE_ERRORS,
  ...TRAINING_ERRORS,
  ...WEIGHT_ERRORS,
} as const;
